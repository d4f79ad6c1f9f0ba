import type { BoundSocket, SlotSockets } from '../processes/sockets.ts'
import type { WorkerAddress } from './address.ts'

/** Where one worker, and after a crash its successor, listens. */
export interface Endpoint {
  /** For the supervisor to ask this very worker; nginx uses the slot's address. */
  own: WorkerAddress
  socket: BoundSocket | undefined
  port: number | undefined
  close(): void
}

/** A unix socket in `path`'s folder, bound and not listened on. */
export function openSocketEndpoint(sockets: SlotSockets, path: string): Endpoint {
  const socket = sockets.bind(path)
  return { own: { kind: 'unix', path }, socket, port: undefined, close: () => socket.close() }
}

/** A TCP port for a program that knows only $PORT. */
export function openPortEndpoint(sockets: SlotSockets): Endpoint {
  const port = sockets.freePort()
  return { own: { kind: 'tcp', port }, socket: undefined, port, close: () => {} }
}
