import type { WorkerLimits } from './autoscaling/decision.ts'
import type { RecyclePolicy } from './recycling.ts'
import { socketPath } from './socket-paths.ts'
import type { UpstreamServer } from './upstream.ts'

/** What the workers of an app are, and how they are treated. Times in milliseconds. */
export interface WorkerPlan {
  app: string
  /** The command as configured, for messages. */
  argv: readonly string[]
  /** The command with the worker's port filled in. */
  argvFor(port: number | undefined): string[]
  directory: string
  uid: number | undefined
  gid: number | undefined
  count: number
  /** Places in nginx's list, of which each worker gets a share; 0: one per worker. */
  entries: number
  /** Between which numbers it is scaled by load; undefined when the number is fixed. */
  limits: WorkerLimits | undefined
  /** Who tells how busy the workers are: the preload in a Node worker, or nginx, by the time that answers take. */
  loadFrom: 'worker' | 'nginx'
  listen: 'inherit' | 'port'
  /** Slots that a roll replaces at the same time. */
  surge: number
  recycle: RecyclePolicy
  env(identity: {
    requestLimit: number
    slot: number
    socketInode: number | undefined
    port: number | undefined
  }): Record<string, string>
  bootTimeoutMs: number
  /** Silence after which a worker counts as hung; 0: never. */
  timeoutMs: number
  /** What to ask it for signs of life, beside the heartbeat of the Node preload. */
  health: { path: string; intervalMs: number } | undefined
  gracefulTimeoutMs: number
  minUptimeMs: number
  /** What follows a fast failure: the next try after a while, or none until somebody asks. */
  afterFailure: 'retry' | 'wait'
  backoff: { initialMs: number; maxMs: number }
}

/** Addresses of workers that do not run yet. */
export function plannedServers({ app, count, entries, listen }: WorkerPlan, runDir: string): UpstreamServer[] {
  return Array.from({ length: Math.max(count, entries) }, (_, index) => ({
    slot: index + 1,
    address:
      listen === 'port'
        ? { kind: 'tcp', port: 1024 + index }
        : { kind: 'unix', path: socketPath(runDir, app, index + 1) },
  }))
}
