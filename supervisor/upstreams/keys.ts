import * as z from 'zod'
import { docs, duration, hostName, nginxPath, whole } from '../config/values.ts'
import { balances, hasBackups, listBalances } from '../nginx/balance.ts'
import { hasTls, listProtocols, protocols } from '../nginx/protocol.ts'
import { tlsName } from './names.ts'
import { upstreamPhp } from './php-keys.ts'

/** A configured server of an upstream. */
export interface UpstreamServer {
  /** Name or address, without brackets. */
  host: string
  port: number
  weight: number
  isBackup: boolean
}

const serverForm =
  /^(?:\[(?<ipv6>[0-9A-Fa-f:.]+)\]|(?<host>[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_])?)):(?<port>\d{1,5})(?<options>( +(weight=[1-9]\d{0,2}|backup))*)$/
const serverExpected =
  'expected HOST:PORT, optionally followed by weight=NUMBER or backup, such as "10.0.0.3:5000 weight=2"'

const hostExpected = 'expected a name or an address before the port, such as 10.0.0.3 or [2001:db8::3]'
const onceExpected = 'expected weight=NUMBER and backup once each'

const server = z.string({ error: serverExpected }).transform((text, context): UpstreamServer => {
  const { ipv6, host = ipv6 ?? '', port = '', options = '' } = serverForm.exec(text.trim())?.groups ?? {}
  const given = options.split(' ').flatMap(option => option.replace(/=.*/, '') || [])
  const isPort = Number(port) >= 1 && Number(port) <= 65535
  const complain = (message: string) => context.addIssue({ code: 'custom', message })
  if (host === '' || !isPort) complain(serverExpected)
  else if (!isHost(host, ipv6 !== undefined)) complain(hostExpected)
  else if (new Set(given).size < given.length) complain(onceExpected)
  const weight = Number(/weight=(\d+)/.exec(options)?.[1] ?? 1)
  return { host: host.toLowerCase(), port: Number(port), weight, isBackup: options.includes('backup') }
})

/** Whether a host is valid for nginx or the resolver. A host whose last label is a number must be an IPv4 address. */
function isHost(host: string, isBracketed: boolean): boolean {
  if (isBracketed) return z.ipv6().safeParse(host).success
  return /(^|\.)\d+$/.test(host) ? z.ipv4().safeParse(host).success : !host.includes('..')
}

// clients never send a fragment
const pathExpected = 'expected a path such as /health, without #'
const path = z.string({ error: pathExpected }).regex(/^\/[\x21\x22\x24-\x7e]*$/, pathExpected)

const health = z.strictObject({
  path: path.register(docs, { description: 'Path to request from each server; a status below 400 is a success' }),
  interval: duration('5s').register(docs, { description: 'Time between two checks' }),
  timeout: duration('2s').register(docs, { description: 'Time limit for a response; a slower one is a failure' }),
  fails: whole(1, 100)
    .default(3)
    .register(docs, { description: 'Failures in a row after which a server gets no more requests' }),
  passes: whole(1, 100)
    .default(2)
    .register(docs, { description: 'Successes in a row after which it gets requests again' }),
})

const tls = z.strictObject({
  name: hostName.optional().register(docs, {
    description:
      'Server name (SNI), which the certificate must contain; default: host, else the name of the first server',
  }),
  verify: z
    .boolean({ error: 'expected true or false' })
    .default(true)
    .register(docs, { description: 'Whether the certificate is verified' }),
  ca: z
    .string({ error: 'expected a file' })
    .regex(nginxPath, 'expected a file, without quotes, backslashes, ;, {, } and $')
    .optional()
    .register(docs, {
      description: "PEM file with the CAs to trust, relative to the app's directory; default: the system's CAs",
    }),
})

/** Value of an entry of `upstreams`. */
export const upstream = z
  .strictObject({
    servers: z
      .array(server, { error: 'expected a list of servers, such as ["10.0.0.2:5000"]' })
      .min(1, 'expected at least one server')
      .register(docs, {
        description:
          'HOST:PORT of each server, with weight=NUMBER for a larger share, or backup to use it only while the others are unavailable. Names are re-resolved periodically',
      }),
    balance: z
      .enum(balances, { error: `expected ${listBalances(balances)}` })
      .default('least_conn')
      .register(docs, {
        description:
          "Server selection: the one with the fewest open requests, the next one, or by the client's address",
      }),
    protocol: z
      .enum(protocols, { error: `expected ${listProtocols()}` })
      .default('http')
      .register(docs, {
        description:
          'Protocol that nginx speaks to the servers. http: HTTP/1.1; fastcgi: PHP-FPM; grpc: gRPC, by HTTP/2; uwsgi: that of uWSGI',
      }),
    php: upstreamPhp.optional().register(docs, {
      description:
        'Directory whose scripts the servers run, for PHP-FPM in a container of its own; default: every request goes to them, with the path as PATH_INFO',
    }),
    host: hostName.optional().register(docs, { description: "Host header sent to the servers; default: the client's" }),
    keepalive: whole(0, 4096)
      .default(32)
      .register(docs, { description: 'Idle connections that each nginx process keeps to the servers' }),
    retries: whole(0, 10).default(2).register(docs, {
      description:
        'Other servers to try when one is unreachable or closes the connection; not for requests that may have changed something (POST) or exceeded read_timeout',
    }),
    max_fails: whole(0, 1000).default(1).register(docs, {
      description:
        'Failed requests within fail_timeout after which a server gets no requests for the same time; 0: off',
    }),
    fail_timeout: duration('10s', 1000)
      .refine(durationMs => durationMs % 1000 === 0, 'expected whole seconds')
      .register(docs, { description: 'Period for max_fails, in whole seconds' }),
    health: health
      .optional()
      .register(docs, { description: 'Active health checks, which find unavailable servers before a request fails' }),
    tls: tls.optional().register(docs, { description: 'TLS to the servers; {} for the defaults' }),
  })
  .superRefine((value, context) => {
    const backup = value.servers.findIndex(({ isBackup }) => isBackup)
    if (value.servers.length > 0 && value.servers.every(({ isBackup }) => isBackup))
      context.addIssue({
        code: 'custom',
        path: ['servers'],
        message: 'expected at least one server that is not a backup',
      })
    if (backup >= 0 && !hasBackups(value.balance))
      context.addIssue({
        code: 'custom',
        path: ['servers', backup],
        message: `is a backup, which balance: ${value.balance} does not support`,
        params: { fix: 'remove backup, or set balance to least_conn' },
      })
    if (value.php && value.protocol !== 'fastcgi')
      context.addIssue({
        code: 'custom',
        path: ['php'],
        message: `is for PHP-FPM, and the servers speak ${value.protocol}`,
        params: { fix: 'set protocol: fastcgi, or remove php' },
      })
    if (value.tls && !hasTls(value.protocol))
      context.addIssue({
        code: 'custom',
        path: ['tls'],
        message: `does not exist in ${value.protocol}: nginx speaks it without TLS`,
        params: { fix: 'remove tls, or reach the server through a tunnel' },
      })
    if (value.health && value.protocol !== 'http')
      context.addIssue({
        code: 'custom',
        path: ['health'],
        message: `requests a path by HTTP, and the servers speak ${value.protocol}`,
        params: { fix: 'remove health; max_fails and fail_timeout find servers that fail' },
      })
    if (value.tls?.verify && tlsName(value) === undefined)
      context.addIssue({
        code: 'custom',
        path: ['tls'],
        message: 'has no name to verify: the first server is an address',
        params: { fix: 'set tls.name, or set tls.verify to false' },
      })
  })

/** Configured upstream. Durations in ms. */
export type UpstreamConfig = z.output<typeof upstream>
