import * as z from 'zod'
import { docs, duration, hostName, nginxPath, whole } from '../config/values.ts'
import { balances, hasBackups, listBalances } from '../nginx/balance.ts'
import { tlsName } from './names.ts'

/** A server outside, as it is configured. */
export interface ExternalServer {
  /** A name or an address, without brackets. */
  host: string
  port: number
  weight: number
  isBackup: boolean
}

const serverForm =
  /^(?:\[(?<ipv6>[0-9A-Fa-f:.]+)\]|(?<host>[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_])?)):(?<port>\d{1,5})(?<words>( +(weight=[1-9]\d{0,2}|backup))*)$/
const serverExpected = 'expected HOST:PORT, and after it weight=NUMBER or backup, such as "10.0.0.3:5000 weight=2"'

const hostExpected = 'expected a name or an address before the port, such as 10.0.0.3 or [2001:db8::3]'
const onceExpected = 'expected weight=NUMBER and backup once each'

const server = z.string({ error: serverExpected }).transform((text, context): ExternalServer => {
  const { ipv6, host = ipv6 ?? '', port = '', words = '' } = serverForm.exec(text.trim())?.groups ?? {}
  const given = words.split(' ').flatMap(word => word.replace(/=.*/, '') || [])
  const isPort = Number(port) >= 1 && Number(port) <= 65535
  const complain = (message: string) => context.addIssue({ code: 'custom', message })
  if (host === '' || !isPort) complain(serverExpected)
  else if (!isHost(host, ipv6 !== undefined)) complain(hostExpected)
  else if (new Set(given).size < given.length) complain(onceExpected)
  const weight = Number(/weight=(\d+)/.exec(words)?.[1] ?? 1)
  return { host: host.toLowerCase(), port: Number(port), weight, isBackup: words.includes('backup') }
})

/** Whether nginx, or a resolver, makes something of it. Where numbers end a name, it is an address with less or more of them. */
function isHost(host: string, isBracketed: boolean): boolean {
  if (isBracketed) return z.ipv6().safeParse(host).success
  return /(^|\.)\d+$/.test(host) ? z.ipv4().safeParse(host).success : !host.includes('..')
}

const path = z
  .string({ error: 'expected a path such as /health' })
  .regex(/^\/[\x21-\x7e]*$/, 'expected a path such as /health')

const health = z.strictObject({
  path: path.register(docs, { description: 'Path that each server is asked for; a status below 400 is well' }),
  interval: duration('5s').register(docs, { description: 'Time between two questions' }),
  timeout: duration('2s').register(docs, { description: 'An answer that takes longer counts as failed' }),
  fails: whole(1, 100)
    .default(3)
    .register(docs, { description: 'Failures in a row after which a server gets no requests' }),
  passes: whole(1, 100)
    .default(2)
    .register(docs, { description: 'Good answers in a row after which it gets them again' }),
})

const tls = z.strictObject({
  name: hostName.optional().register(docs, {
    description:
      'Name asked for (SNI) and expected in the certificate; default: host, else the name of the first server',
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
      description: "File with the authorities to trust (PEM), relative to the app's directory; default: the system's",
    }),
})

/** An entry of `upstreams`. */
export const upstream = z
  .strictObject({
    servers: z
      .array(server, { error: 'expected a list of servers, such as ["10.0.0.2:5000"]' })
      .min(1, 'expected at least one server')
      .register(docs, {
        description:
          'HOST:PORT each, with weight=NUMBER for a larger share, or backup for when the others are away. Names are looked up again and again',
      }),
    balance: z
      .enum(balances, { error: `expected ${listBalances(balances)}` })
      .default('least_conn')
      .register(docs, {
        description:
          "Which server gets a request: the one with the fewest open, the next, or one by the client's address",
      }),
    host: hostName
      .optional()
      .register(docs, { description: 'Host header that the servers get; default: the one of the client' }),
    keepalive: whole(0, 4096)
      .default(32)
      .register(docs, { description: 'Idle connections that each nginx process keeps to the servers' }),
    retries: whole(0, 10).default(2).register(docs, {
      description:
        'Other servers that a request is tried on when one cannot be reached or breaks off; not one that may have changed something (POST), nor one that was slow (read_timeout)',
    }),
    max_fails: whole(0, 1000).default(1).register(docs, {
      description:
        'Requests that a server leaves unanswered within fail_timeout, after which it gets none for as long; 0: never',
    }),
    fail_timeout: duration('10s', 1000)
      .refine(durationMs => durationMs % 1000 === 0, 'expected whole seconds')
      .register(docs, { description: 'For max_fails; whole seconds' }),
    health: health
      .optional()
      .register(docs, { description: 'Asks each server itself, so that no request is lost to find one that is away' }),
    tls: tls.optional().register(docs, { description: 'Speaks TLS with the servers; {} will do' }),
  })
  .superRefine((value, context) => {
    const backup = value.servers.findIndex(({ isBackup }) => isBackup)
    if (value.servers.length > 0 && value.servers.every(({ isBackup }) => isBackup))
      context.addIssue({ code: 'custom', path: ['servers'], message: 'expected a server that is no backup' })
    if (backup >= 0 && !hasBackups(value.balance))
      context.addIssue({
        code: 'custom',
        path: ['servers', backup],
        message: `is a backup, which balance: ${value.balance} does not have`,
        params: { fix: 'leave backup out, or set balance to least_conn' },
      })
    if (value.tls?.verify && tlsName(value) === undefined)
      context.addIssue({
        code: 'custom',
        path: ['tls'],
        message: 'has no name to verify: the first server is an address',
        params: { fix: 'set tls.name, or tls.verify to false' },
      })
  })

/** A configured upstream. Durations are in milliseconds. */
export type UpstreamConfig = z.output<typeof upstream>
