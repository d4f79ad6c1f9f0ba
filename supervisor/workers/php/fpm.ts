import type { Children } from './children.ts'

/** Path in php/fpm.conf that names the inherited socket. */
const ownListen = '/proc/monohull.sock'

/** Command line of a PHP-FPM master. */
interface FpmCommand {
  /** Path of the program. */
  program: string
  /** Path of its configuration. */
  config: string
  ini: Readonly<Record<string, string | number | boolean>>
}

/** Values for a PHP-FPM master that are not in its command line. */
interface FpmValues {
  /** Text of the user's configuration and the files that it includes; undefined: it is php/fpm.conf. */
  ownText: string | undefined
  children: Children
  /** Requests after which a child is replaced; 0: never. */
  maxRequests: number
  gracefulTimeoutMs: number
}

/** Command of a master in the foreground. */
export function fpmCommand({ program, config, ini }: FpmCommand): string[] {
  return [
    ...[program, '--nodaemonize', '--force-stderr', '--fpm-config', config],
    ...Object.entries(ini).flatMap(([name, value]) => ['-d', `${name}=${iniValue(value)}`]),
  ]
}

/** Variables that pass it the socket, and the values in php/fpm.conf. */
export function fpmEnv({ ownText, children, maxRequests, gracefulTimeoutMs }: FpmValues): Record<string, string> {
  const socket = { FPM_SOCKETS: `${ownText === undefined ? ownListen : (listenIn(ownText) ?? ownListen)}=3` }
  if (ownText !== undefined) return socket
  return {
    ...socket,
    MONOHULL_PHP_MAX_CHILDREN: String(children.max),
    MONOHULL_PHP_START_SERVERS: String(children.start),
    MONOHULL_PHP_MIN_SPARE_SERVERS: String(children.minSpare),
    MONOHULL_PHP_MAX_SPARE_SERVERS: String(children.maxSpare),
    MONOHULL_PHP_MAX_REQUESTS: String(maxRequests),
    MONOHULL_PHP_GRACEFUL_TIMEOUT: `${Math.ceil(gracefulTimeoutMs / 1000)}s`,
  }
}

/** Values of a directive in the text of a php-fpm.conf. */
function valuesOf(text: string, name: string): string[] {
  const pattern = new RegExp(`^[ \\t]*${name}[ \\t]*=[ \\t]*("?)([^\\n;"]*)\\1`, 'gm')
  return [...text.matchAll(pattern)].map(([, , value = '']) => value.trim())
}

/** Files that a php-fpm.conf includes, as patterns. */
export function includesIn(text: string): string[] {
  return valuesOf(text, 'include')
}

/** Address that the pool of a php-fpm.conf listens on; the last one counts, as the last file of the official image's. */
function listenIn(text: string): string | undefined {
  return valuesOf(text, 'listen').at(-1)
}

/** Problem of the user's configuration, with its fix. */
export function describeFpmProblem(text: string): { problem: string; fix: string } | undefined {
  const pools = new Set(
    [...text.matchAll(/^[ \t]*\[([^\]]+)\]/gm)].flatMap(([, name = '']) => (name === 'global' ? [] : name)),
  )
  if (pools.size !== 1)
    return {
      problem: `contains ${pools.size === 0 ? 'no pool' : `the pools ${[...pools].join(', ')}`}, and there is one socket`,
      fix: 'write one section such as [www], and an app for each further pool',
    }
  const listen = listenIn(text)
  if (listen === undefined) return { problem: 'contains no listen', fix: `add listen = ${ownListen} to its pool` }
  if (!listen.startsWith('/'))
    return {
      problem: `listens on ${listen}, and PHP-FPM takes over a unix socket only under a path`,
      fix: `write listen = ${ownListen}`,
    }
  if (valuesOf(text, 'error_log').length === 0)
    return {
      problem: 'contains no error_log, and the default of PHP-FPM is a file of root',
      fix: 'write error_log = /dev/null in [global]: its messages go to stderr',
    }
  if (valuesOf(text, 'process_control_timeout').length === 0)
    return {
      problem: 'contains no process_control_timeout, and without it a roll would end the requests in progress',
      fix: 'write process_control_timeout = 8s in [global]',
    }
  return undefined
}

function iniValue(value: string | number | boolean): string {
  if (typeof value === 'boolean') return value ? '1' : '0'
  return String(value)
}
