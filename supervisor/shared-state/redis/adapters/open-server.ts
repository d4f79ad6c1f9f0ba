import { messageOf } from '../../../base/errors.ts'
import type { LinkEvents, RedisLink } from '../link.ts'
import { escapePattern } from '../pattern.ts'
import type { RedisAddress } from '../url.ts'
import { type Client, type ClientOptions, connectClient } from './client.ts'

/** Login at a server, and the keys to follow there. */
export interface ServerLogin {
  isTls: boolean
  username: string | undefined
  password: string | undefined
  database: number
  /** Prefix of the keys whose changes are reported. */
  prefix: string
}

/** Server of a link. */
export interface LinkedServer {
  link: RedisLink
  isInCluster: boolean
}

/** Error replies that another protocol or channel would get as well. */
const lasting = /^(WRONGPASS|NOAUTH|LOADING|MASTERDOWN|DENIED)|max number of clients|DB index|invalid password/

/** Link to one server that is not part of a cluster. */
export async function openServer(
  socket: ClientOptions['socket'],
  login: ServerLogin,
  events: LinkEvents,
): Promise<RedisLink> {
  const { link, isInCluster } = await openAnyServer(socket, login, events)
  if (!isInCluster) return link
  link.close()
  throw new Error('the server belongs to a cluster')
}

/** Link to a server. It tries the channels for changes in their order; an error reply of the server leads to the next. */
export async function openAnyServer(
  socket: ClientOptions['socket'],
  login: ServerLogin,
  events: LinkEvents,
): Promise<LinkedServer> {
  const options = { ...login, socket }
  const tracked = await attempt(() => openTracked(options, login.prefix, events))
  if (tracked) return tracked
  const modern = await attempt(() => openUntracked(options, { version: 3, tracked: undefined }, login, events))
  return modern ?? openUntracked(options, { version: 2 }, login, events)
}

/** Socket of a server. */
export function socketTo({ host, port }: RedisAddress, isTls: boolean): ClientOptions['socket'] {
  return { host, port, ...(isTls ? { tls: true as const, servername: /^[\d.]+$|:/.test(host) ? '' : host } : {}) }
}

/** Undefined after an error reply that the next attempt may not get. */
async function attempt<T>(open: () => Promise<T>): Promise<T | undefined> {
  try {
    return await open()
  } catch (error) {
    if (!/^[A-Z]+ /.test(messageOf(error)) || lasting.test(messageOf(error))) throw error
    return undefined
  }
}

async function openTracked(options: ClientOptions, prefix: string, { onChange, onLost }: LinkEvents) {
  const client = await connectClient(options, { version: 3, tracked: prefix }, { onLost, onInvalidate: onChange })
  return toServer(client, 'tracking')
}

async function openUntracked(
  options: ClientOptions,
  protocol: Parameters<typeof connectClient>[1],
  { prefix, database }: ServerLogin,
  { onChange, onLost }: LinkEvents,
): Promise<LinkedServer> {
  const client = await connectClient(options, protocol, { onLost })
  if (!(await reportsKeyEvents(client))) return toServer(client, 'polling')
  const listener = await connectClient(options, protocol, {
    onLost(reason) {
      client.close()
      onLost(reason)
    },
  })
  const start = `__keyspace@${database}__:`
  await listener.subscribe(`${start}${escapePattern(prefix)}*`, (_event, channel) =>
    onChange(channel.slice(start.length)),
  )
  let flushes = await countFlushes(client)
  const { link, isInCluster } = await toServer(client, 'notifications')
  return {
    isInCluster,
    link: {
      ...link,
      async check() {
        const [isReported, count] = await Promise.all([
          reportsKeyEvents(client),
          countFlushes(client),
          listener.ping(),
          link.check(),
        ])
        if (!isReported) throw new Error('notify-keyspace-events does not include KA any more')
        // they are no event of a key
        if (count !== flushes) onChange(undefined)
        flushes = count
      },
      close() {
        link.close()
        listener.close()
      },
    },
  }
}

/** Whether keyspace notifications are on for every kind of change. */
async function reportsKeyEvents(client: Client): Promise<boolean> {
  const reply = await client.call(['CONFIG', 'GET', 'notify-keyspace-events']).catch(() => undefined)
  const flags = String(Array.isArray(reply) ? reply[1] : Object.values(Object(reply))[0])
  return flags.includes('K') && (flags.includes('A') || [...'g$lxe'].every(flag => flags.includes(flag)))
}

/** Text that differs after a command that changes all keys of a database; empty where the server does not tell. */
async function countFlushes(client: Client): Promise<string> {
  const statistics = String(await client.call(['INFO', 'commandstats']).catch(() => ''))
  return (statistics.match(/^cmdstat_(flushall|flushdb|swapdb):calls=\d+/gm) ?? []).join(' ')
}

async function toServer(client: Client, channel: RedisLink['channel']): Promise<LinkedServer> {
  // managed services may refuse it
  const info = String(await client.call(['INFO', 'server']).catch(() => ''))
  return {
    isInCluster: /^redis_mode:cluster/m.test(info),
    link: {
      channel,
      runId: /^run_id:(\w+)/m.exec(info)?.[1] ?? '',
      call: client.call,
      check: client.ping,
      close: client.close,
    },
  }
}
