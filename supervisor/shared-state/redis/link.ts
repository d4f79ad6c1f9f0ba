/** Way in which a server reports changes, best first. */
export type ChangeChannel =
  /** `CLIENT TRACKING … BCAST`: names of changed keys, on the same connection. */
  | 'tracking'
  /** Keyspace notifications, on a connection of their own. */
  | 'notifications'
  /** None: the keys of known hosts are read again at intervals. */
  | 'polling'

/** Connection to a Redis server that has accepted the login. */
export interface RedisLink {
  readonly channel: ChangeChannel
  /** Changes with every restart of the server. */
  readonly runId: string
  /** Reply to a command. Rejects with an error reply of the server, and when the connection is lost. */
  call(words: readonly string[]): Promise<unknown>
  /** Looks whether the server responds and still reports changes; to be called every second. Rejects if not. */
  check(): Promise<void>
  close(): void
}

/** What a link reports. */
export interface LinkEvents {
  /** A key below the prefix has changed or ended; undefined: any may have. */
  onChange(key: string | undefined): void
  /** The connection is lost. Called at most once, and not after `close`. */
  onLost(reason: string): void
}

/** Opens a link. Rejects if that takes longer than a few seconds. */
export type OpenLink = (events: LinkEvents) => Promise<RedisLink>
