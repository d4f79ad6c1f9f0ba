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
  /**
   * Calls `onWaiting` once, as soon as a connection waits in the queue of a socket from `bind` that no other process accepts from. The
   * connection stays in the queue. Returns a function that ends the watch; call it before the socket is closed.
   */
  watch(socket: BoundSocket, onWaiting: () => void): () => void
  /** Whether the socket's path still exists. A server may remove it when it exits. */
  isThere(path: string): boolean
  /** Makes `link` point to `path`, atomically. */
  point(link: string, path: string): void
  /** A free TCP port on 127.0.0.1. */
  freePort(): number
}
