/** A socket that is bound and never accepted from. */
export interface BoundSocket {
  readonly descriptor: number
  /** Number of the socket in the kernel, for a worker to recognise it. */
  readonly inode: number
  close(): void
}

export interface UnixSocketOwner {
  uid: number | undefined
  gid: number | undefined
}

/** Binds unix sockets for worker slots. */
export interface SlotSockets {
  /** Binds `path`, replacing a leftover; only the owner and its group may connect. Closing removes it. */
  bind(path: string): BoundSocket
  /** Whether the socket's path is still there: a server that ends may remove it. */
  isThere(path: string): boolean
  /** Makes `link` lead to `path`, in one step. */
  point(link: string, path: string): void
  /** A free TCP port on 127.0.0.1. */
  freePort(): number
}
