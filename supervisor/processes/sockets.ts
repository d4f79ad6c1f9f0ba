/** Bound, listening socket from which monohull itself never accepts. */
export interface BoundSocket {
  readonly descriptor: number
  /** Inode of the socket, by which a worker recognizes it. */
  readonly inode: number
  close(): void
}

/** Owner of a unix socket. */
export interface UnixSocketOwner {
  uid: number | undefined
  gid: number | undefined
}

/** Sockets of worker slots. */
export interface SlotSockets {
  /** Binds `path` and replaces a leftover. Only the owner and its group may connect. Closing removes it. */
  bind(path: string): BoundSocket
  /** Whether the socket's path still exists. A server may remove it when it exits. */
  isThere(path: string): boolean
  /** Makes `link` point to `path`, atomically. */
  point(link: string, path: string): void
  /** A free TCP port on 127.0.0.1. */
  freePort(): number
}
