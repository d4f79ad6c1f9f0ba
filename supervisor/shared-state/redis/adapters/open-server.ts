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
  /** Whether a replica is refused, which takes no writes. */
  needsMaster: boolean
}

/** Server of a link. */
export interface LinkedServer {
  link: RedisLink
  isInCluster: boolean
  isReplica: boolean
}

/** Refusal of a replica. */
export class IsReplica extends Error {
  constructor() {
    super('the server is a replica, which takes no writes')
  }
}

/** Error replies that another protocol or channel would get as well. */
const lasting = /^(WRONGPASS|NOAUTH|LOADING|MASTERDOWN|DENIED)|max number of clients|DB index|invalid password/

/** Link to one server that is not part of a cluster. */
export async function openServer(
  socket: ClientOptions['socket'],
  login: ServerLogin,
  events: LinkEvents,
): Promise<RedisLink> {
  const { link, isInCluster, isReplica } = await openAnyServer(socket, login, events)
  if (!isInCluster && !(isReplica && login.needsMaster)) return link
  link.close()
  throw isInCluster ? new Error('the server belongs to a cluster') : new IsReplica()
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
    if (!isErrorReply(error) || lasting.test(messageOf(error))) throw error
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
  const listener = await orClose(client, () =>
    connectClient(options, protocol, {
      onLost(reason) {
        client.close()
        onLost(reason)
      },
    }),
  )
  const start = `__keyspace@${database}__:`
  const receive = (_event: string, channel: string) => onChange(channel.slice(start.length))
  await orClose(listener, () => orClose(client, () => listener.subscribe(`${start}${escapePattern(prefix)}*`, receive)))
  let flushes = await countFlushes(client)
  const { link, ...server } = await orClose(listener, () => toServer(client, 'notifications'))
  return {
    ...server,
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
  const [info, replication] = await orClose(client, () =>
    Promise.all([readInfo(client, 'server'), readInfo(client, 'replication')]),
  )
  return {
    isInCluster: /^redis_mode:cluster/m.test(info),
    isReplica: /^role:slave/m.test(replication),
    link: {
      channel,
      runId: /^run_id:(\w+)/m.exec(info)?.[1] ?? '',
      call: client.call,
      check: client.ping,
      close: client.close,
    },
  }
}

/** Section of the server's information; empty where it is refused, as by some managed services. */
async function readInfo(client: Client, section: string): Promise<string> {
  try {
    return String(await client.call(['INFO', section]))
  } catch (error) {
    if (isErrorReply(error)) return ''
    throw error
  }
}

/** Closes a client if what comes next fails. */
async function orClose<T>(client: Client, next: () => Promise<T>): Promise<T> {
  try {
    return await next()
  } catch (error) {
    client.close()
    throw error
  }
}

/** Whether the server replied, unlike after a lost connection or in too long a time. */
function isErrorReply(error: unknown): boolean {
  return /^[A-Z]+ /.test(messageOf(error))
}
