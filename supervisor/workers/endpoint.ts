import type { BoundSocket, SlotSockets } from '../processes/sockets.ts'
import type { WorkerAddress } from './address.ts'

/** Address that a worker, and after a crash its successor, listens on. */
export interface Endpoint {
  /** Address of this worker alone, for probes; nginx uses the slot's address. */
  own: WorkerAddress
  socket: BoundSocket | undefined
  port: number | undefined
  close(): void
}

/** Endpoint with a unix socket at `path`, bound. */
export function openSocketEndpoint(sockets: SlotSockets, path: string): Endpoint {
  const socket = sockets.bind(path)
  return { own: { kind: 'unix', path }, socket, port: undefined, close: () => socket.close() }
}

/** Endpoint with a free TCP port, for `listen: port`. */
export function openPortEndpoint(sockets: SlotSockets): Endpoint {
  const port = sockets.freePort()
  return { own: { kind: 'tcp', port }, socket: undefined, port, close: () => {} }
}
