import { messageOf } from '../../../base/errors.ts'
import type { LinkEvents, OpenLink, RedisLink } from '../link.ts'
import { escapePattern } from '../scan.ts'
import type { RedisUrl } from '../url.ts'
import { type Client, type ClientOptions, connectClient } from './client.ts'

/** Store that links are opened to. */
export interface LinkTarget extends Pick<RedisUrl, 'at' | 'isTls'> {
  username: string | undefined
  password: string | undefined
  database: number
  /** Prefix of the keys whose changes are reported. */
  prefix: string
}

/** Error replies that another protocol or channel would get as well. */
const lasting = /^(WRONGPASS|NOAUTH|LOADING|MASTERDOWN|DENIED)|max number of clients|DB index|invalid password/

/** Links to a store. Each tries the channels for changes in their order; an error reply of the server leads to the next. */
export function linkOpener(target: LinkTarget): OpenLink {
  return async events => {
    const socket = await locate(target)
    const options = { ...target, socket }
    const tracked = await attempt(() => openTracked(options, target.prefix, events))
    if (tracked) return tracked
    const modern = await attempt(() => openUntracked(options, { version: 3, tracked: undefined }, target, events))
    return modern ?? openUntracked(options, { version: 2 }, target, events)
  }
}

/** Undefined after an error reply that the next attempt may not get. */
async function attempt(open: () => Promise<RedisLink>): Promise<RedisLink | undefined> {
  try {
    return await open()
  } catch (error) {
    if (!/^[A-Z]+ /.test(messageOf(error)) || lasting.test(messageOf(error))) throw error
    return undefined
  }
}

async function openTracked(options: ClientOptions, prefix: string, { onChange, onLost }: LinkEvents) {
  const client = await connectClient(options, { version: 3, tracked: prefix }, { onLost, onInvalidate: onChange })
  return toLink(client, 'tracking')
}

async function openUntracked(
  options: ClientOptions,
  protocol: Parameters<typeof connectClient>[1],
  { prefix, database }: LinkTarget,
  { onChange, onLost }: LinkEvents,
): Promise<RedisLink> {
  const client = await connectClient(options, protocol, { onLost })
  if (!(await reportsKeyEvents(client))) return toLink(client, 'polling')
  const listener = await connectClient(options, protocol, {
    onLost(reason) {
      client.close()
      onLost(reason)
    },
  })
  const start = `__keyspace@${database}__:`
  // FLUSHALL and FLUSHDB are no event of a key
  await listener.subscribe(`${start}${escapePattern(prefix)}*`, (_event, channel) =>
    onChange(channel.slice(start.length)),
  )
  const link = await toLink(client, 'notifications')
  return {
    ...link,
    close() {
      link.close()
      listener.close()
    },
  }
}

/** Whether keyspace notifications are on for every kind of change. */
async function reportsKeyEvents(client: Client): Promise<boolean> {
  const reply = await client.call(['CONFIG', 'GET', 'notify-keyspace-events']).catch(() => undefined)
  const flags = String(Array.isArray(reply) ? reply[1] : Object.values(Object(reply))[0])
  return flags.includes('K') && (flags.includes('A') || [...'g$lxe'].every(flag => flags.includes(flag)))
}

async function toLink(client: Client, channel: RedisLink['channel']): Promise<RedisLink> {
  // managed services may refuse it
  const info = String(await client.call(['INFO', 'server']).catch(() => ''))
  if (/^redis_mode:cluster/m.test(info)) {
    client.close()
    throw new Error('the server belongs to a cluster, which is not supported')
  }
  return {
    channel,
    runId: /^run_id:(\w+)/m.exec(info)?.[1] ?? '',
    call: client.call,
    close: client.close,
  }
}

/** Socket of the server; with Sentinels, that of the master they name. */
async function locate({ at, isTls }: LinkTarget): Promise<ClientOptions['socket']> {
  if (at.kind === 'socket') return { path: at.path }
  if (at.kind === 'address') return secured(at, isTls)
  const reasons: string[] = []
  for (const sentinel of at.sentinels) {
    try {
      return secured(await askSentinel(secured(sentinel, isTls), at.master), isTls)
    } catch (error) {
      reasons.push(`${sentinel.host}:${sentinel.port} ${messageOf(error)}`)
    }
  }
  throw new Error(`no Sentinel names the master ${at.master}: ${reasons.join('; ')}`)
}

async function askSentinel(socket: ClientOptions['socket'], master: string): Promise<{ host: string; port: number }> {
  const client = await connectClient(
    { socket, username: undefined, password: undefined, database: 0 },
    { version: 2 },
    { onLost: () => {} },
  )
  try {
    const reply = await client.call(['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', master])
    const [host, port] = Array.isArray(reply) ? reply.map(String) : []
    if (host === undefined) throw new Error('does not know it')
    return { host, port: Number(port) }
  } finally {
    client.close()
  }
}

function secured({ host, port }: { host: string; port: number }, isTls: boolean): ClientOptions['socket'] {
  return { host, port, ...(isTls ? { tls: true as const, servername: /^[\d.]+$|:/.test(host) ? '' : host } : {}) }
}
