import { BasicClientSideCache, createClient, type RedisClientOptions } from '@redis/client'

/** Server and login of a client. */
export interface ClientOptions {
  socket: { host: string; port: number; tls?: true; servername?: string } | { path: string }
  username: string | undefined
  password: string | undefined
  database: number
}

/** Events of a client. */
export interface ClientEvents {
  onLost(reason: string): void
  /** Name of a key that the server reports as changed; undefined: any key. Only with `tracked`. */
  onInvalidate?(key: string | undefined): void
}

/** Client that is connected. Its requests reject after a few seconds: a network that is cut closes no connection. */
export interface Client {
  call(words: readonly string[]): Promise<unknown>
  /** Rejects unless the server responds; also while subscribed. */
  ping(): Promise<void>
  /** Receives the messages of channels that match a pattern. */
  subscribe(pattern: string, receive: (message: string, channel: string) => void): Promise<void>
  close(): void
}

/** Version of the protocol, and with 3 the prefix of keys whose changes the server reports. */
export type ClientProtocol = { version: 2 } | { version: 3; tracked: string | undefined }

const connectTimeoutMs = 3000
const replyTimeoutMs = 3000

/** Connects once: the caller decides whether and when to try again. */
export async function connectClient(
  options: ClientOptions,
  protocol: ClientProtocol,
  events: ClientEvents,
): Promise<Client> {
  const { socket, username, password, database } = options
  let isOpen = false
  const client = createClient({
    socket: {
      ...socket,
      reconnectStrategy: false,
      connectTimeout: connectTimeoutMs,
    } as RedisClientOptions['socket'] & {},
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    database,
    disableOfflineQueue: true,
    disableClientInfo: true,
    maintNotifications: 'disabled',
    ...(protocol.version === 3 && protocol.tracked !== undefined
      ? { RESP: 3, clientSideCache: createTracking(protocol.tracked, events) }
      : { RESP: protocol.version }),
  })
  client.on('error', (error: Error) => {
    if (!isOpen) return
    isOpen = false
    client.destroy()
    events.onLost(error.message)
  })
  let isLate = false
  const timer = setTimeout(() => {
    isLate = true
    client.destroy()
  }, connectTimeoutMs)
  try {
    await client.connect()
  } catch (error) {
    client.destroy()
    throw isLate ? noResponse(connectTimeoutMs) : error
  } finally {
    clearTimeout(timer)
  }
  isOpen = true
  return {
    call: words => inTime(client.sendCommand([...words])),
    ping: async () => void (await inTime(client.ping())),
    subscribe: (pattern, receive) => inTime(client.pSubscribe(pattern, receive)),
    close() {
      isOpen = false
      client.destroy()
    },
  }
}

function inTime<T>(work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(noResponse(replyTimeoutMs)), replyTimeoutMs)
    work.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}

function noResponse(ms: number): Error {
  return new Error(`no response for ${ms / 1000} s`)
}

/** Hook of the client for what servers report to caches. Nothing is cached: commands are sent as they are. */
function createTracking(prefix: string, { onInvalidate }: ClientEvents): BasicClientSideCache {
  class Tracking extends BasicClientSideCache {
    override trackingOn() {
      return ['CLIENT', 'TRACKING', 'ON', 'BCAST', ...(prefix === '' ? [] : ['PREFIX', prefix])]
    }
    override invalidate(key: string | Buffer | null) {
      onInvalidate?.(key === null ? undefined : String(key))
    }
  }
  return new Tracking()
}
