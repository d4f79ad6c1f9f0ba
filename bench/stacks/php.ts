import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { childrenOf, commandOf, isRunning } from '../processes.ts'
import { freePorts, home, nginxProcesses, type Workspace } from '../workspace.ts'
import { fillTemplate } from './nginx-conf.ts'
import { controlBySignals } from './signalled.ts'
import { NotAvailable, type Stack, startProgram } from './stack.ts'

/** Processes of PHP-FPM, on every side. */
export const phpProcesses = 8

const directory = '/usr/sbin'

/** Configuration of Monohull for the PHP app of the bench. */
const phpConfig = `https: on\napp: { command: php, workers: 1, php: { max_children: ${phpProcesses} } }\n`

/** Monohull with the PHP app. */
export function monohullPhp(stack: Stack): Stack {
  return { ...stack, start: options => stack.start({ ...options, config: phpConfig }) }
}

/** Hand-written configurations of nginx and PHP-FPM; USR2 rolls. `controlSeconds`: process_control_timeout; default: FPM's, 0. */
export function fpmStack(workspace: Workspace, controlSeconds?: number): Stack {
  const program = findFpm()
  const name = `nginx + PHP-FPM${controlSeconds === undefined ? '' : `, process_control_timeout = ${controlSeconds}s`}`
  return {
    name,
    abilities: ['roll'],
    async start() {
      const dir = workspace.makeDirectory('php')
      const [httpPort = 0, httpsPort = 0] = await freePorts(2)
      const isRoot = process.getuid?.() === 0
      const nginxConf = writeConf(dir, 'nginx-php.conf', {
        WORKER_PROCESSES: String(nginxProcesses),
        USER: isRoot ? 'user www-data;' : '',
        HTTP_PORT: String(httpPort),
        HTTPS_PORT: String(httpsPort),
        CERTIFICATE: workspace.certificate,
        KEY: workspace.key,
      })
      const fpmConf = writeConf(dir, 'php-fpm.conf', {
        CHILDREN: String(phpProcesses),
        CONTROL_TIMEOUT: controlSeconds === undefined ? '' : `process_control_timeout = ${controlSeconds}s`,
        USER: isRoot
          ? ['user', 'group', 'listen.owner', 'listen.group'].map(key => `${key} = www-data`).join('\n')
          : '',
      })
      const masterOf = createFinder(fpmConf)
      const workersOf = (pid: number) => childrenOf(masterOf(pid) ?? 0)
      return startProgram({
        name,
        command: [
          '/bin/sh',
          join(home, 'bench/peers/beside.sh'),
          ...[nginxConf, program, '--nodaemonize', '--fpm-config', fpmConf],
        ],
        cwd: join(dir, 'app'),
        dir,
        env: { PATH: workspace.path },
        httpPort,
        httpsPort,
        workerPids: workersOf,
        // the shell has replaced itself with nginx
        nginxPid: pid => pid,
        supervisorPids: pid => [masterOf(pid) ?? 0],
        control: pid =>
          controlBySignals({ master: () => masterOf(pid), workerPids: () => workersOf(pid), rollSignal: 'SIGUSR2' }),
        entry: 'php/public/index.php',
      })
    },
  }
}

/** Finds the master by its configuration, which its command line and its title name. On USR2 it executes itself, and for a moment has neither. */
function createFinder(conf: string): (parent: number) => number | undefined {
  let found: number | undefined
  return parent => {
    found ??= childrenOf(parent).find(pid => commandOf(pid).includes(conf))
    return found !== undefined && isRunning(found) ? found : undefined
  }
}

function writeConf(dir: string, name: string, values: Record<string, string>): string {
  const path = join(dir, name)
  writeFileSync(path, fillTemplate(name, { DIR: dir, ...values }))
  return path
}

function findFpm(): string {
  const found = readdirSync(directory).find(name => /^php-fpm[\d.]*$/.test(name))
  if (found === undefined) throw new NotAvailable('PHP-FPM: apt-get install php-fpm')
  return join(directory, found)
}
