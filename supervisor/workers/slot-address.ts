import type { SlotSockets } from '../processes/sockets.ts'
import type { WorkerAddress } from './address.ts'
import { type Endpoint, openPortEndpoint, openSocketEndpoint } from './endpoint.ts'
import type { WorkerPlan } from './plan.ts'
import { socketPath, workerSocketPath } from './socket-paths.ts'

/** Address of a slot for nginx, whichever worker is in it: a link to the serving worker's socket, or its TCP port. */
export interface SlotAddress {
  /** Address for nginx's upstream. */
  forNginx(): WorkerAddress
  /** Endpoint of the present or next worker; undefined while the slot is withdrawn. */
  current(): Endpoint | undefined
  /** Creates an endpoint for a worker, not in use yet. */
  open(plan: WorkerPlan, worker: number): Endpoint
  /** Whether a worker of `plan` can use the current endpoint. */
  suits(plan: WorkerPlan): boolean
  /** Makes an endpoint the current one, and points the link to it. If it throws, nothing has changed. */
  use(endpoint: Endpoint): void
  /** Makes an endpoint the current one after its predecessor is gone; `endRedirect` points the link to it. */
  adopt(endpoint: Endpoint): void
  /** Removes the current endpoint and returns it for the caller to close. */
  drop(): Endpoint | undefined
  /** Redirects requests for this slot to another until `endRedirect`. No effect for a TCP address. Both throw if the link cannot be changed. */
  redirectTo(other: WorkerAddress): void
  endRedirect(): void
  /** Leaves the link to others for good: what becomes current does not change it. */
  cede(): void
}

/** Dependencies of a slot's address. */
export interface SlotAddressDeps {
  sockets: SlotSockets
  runDir: string
}

/** Address of a slot without an endpoint. */
export function createSlotAddress({ sockets, runDir }: SlotAddressDeps, app: string, slot: number): SlotAddress {
  const link = socketPath(runDir, app, slot)
  let endpoint: Endpoint | undefined
  let isRedirected = false
  let target: string | undefined

  /** Points the link to a socket. A link that already leads there needs no space on the disk. */
  function pointTo(path: string): void {
    if (target === path && sockets.isThere(link)) return
    sockets.point(link, path)
    target = path
  }

  function use(next: Endpoint): void {
    if (next.own.kind === 'unix' && !isRedirected) pointTo(next.own.path)
    endpoint = next
  }

  return {
    forNginx: () => (endpoint?.own.kind === 'tcp' ? endpoint.own : { kind: 'unix', path: link }),
    current: () => endpoint,
    open: ({ listen }, worker) =>
      listen === 'port'
        ? openPortEndpoint(sockets)
        : openSocketEndpoint(sockets, workerSocketPath(runDir, `${app}-${slot}`, worker)),
    suits({ listen }) {
      if (!endpoint) return false
      return endpoint.own.kind === 'tcp'
        ? listen === 'port'
        : listen === 'inherit' && sockets.isThere(endpoint.own.path)
    },
    use,
    adopt(next) {
      endpoint = next
    },
    drop() {
      const dropped = endpoint
      endpoint = undefined
      return dropped
    },
    redirectTo(other) {
      if (other.kind === 'tcp') return
      isRedirected = true
      pointTo(other.path)
    },
    cede() {
      isRedirected = true
    },
    endRedirect() {
      if (endpoint?.own.kind === 'unix') pointTo(endpoint.own.path)
      isRedirected = false
    },
  }
}
