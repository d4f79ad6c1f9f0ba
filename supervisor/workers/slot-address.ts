import type { SlotSockets } from '../processes/sockets.ts'
import type { WorkerAddress } from './address.ts'
import { type Endpoint, openPortEndpoint, openSocketEndpoint } from './endpoint.ts'
import type { WorkerPlan } from './plan.ts'
import { socketPath } from './socket-paths.ts'

/** Where nginx finds a slot, whichever worker fills it: a link that leads to the socket of the one who serves. */
export interface SlotAddress {
  /** What nginx is told. */
  forNginx(): WorkerAddress
  /** Of the worker that serves, or will; undefined while the slot is withdrawn. */
  current(): Endpoint | undefined
  /** A new endpoint for a worker, not in use yet. */
  open(plan: WorkerPlan, worker: number): Endpoint
  /** Whether a worker of `plan` can go on with the current endpoint. */
  suits(plan: WorkerPlan): boolean
  use(endpoint: Endpoint): void
  /** Gives up the current endpoint, for the caller to close. */
  drop(): Endpoint | undefined
  /** Until `endRedirect`, what nginx sends here goes to another slot. */
  redirectTo(other: WorkerAddress): void
  endRedirect(): void
}

export interface SlotAddressDeps {
  sockets: SlotSockets
  runDir: string
}

export function createSlotAddress({ sockets, runDir }: SlotAddressDeps, app: string, slot: number): SlotAddress {
  const link = socketPath(runDir, app, slot)
  let endpoint: Endpoint | undefined
  let isRedirected = false

  function use(next: Endpoint): void {
    endpoint = next
    if (next.own.kind === 'unix' && !isRedirected) sockets.point(link, next.own.path)
  }

  return {
    forNginx: () => (endpoint?.own.kind === 'tcp' ? endpoint.own : { kind: 'unix', path: link }),
    current: () => endpoint,
    open: ({ listen }, worker) =>
      listen === 'port'
        ? openPortEndpoint(sockets)
        : openSocketEndpoint(sockets, `${runDir}/${app}-${slot}.${worker}.sock`),
    suits({ listen }) {
      if (!endpoint) return false
      return endpoint.own.kind === 'tcp'
        ? listen === 'port'
        : listen === 'inherit' && sockets.isThere(endpoint.own.path)
    },
    use,
    drop() {
      const dropped = endpoint
      endpoint = undefined
      return dropped
    },
    redirectTo(other) {
      if (other.kind === 'tcp') return
      isRedirected = true
      sockets.point(link, other.path)
    },
    endRedirect() {
      if (!isRedirected) return
      isRedirected = false
      if (endpoint) use(endpoint)
    },
  }
}
