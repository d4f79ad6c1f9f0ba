import type { Protocol } from '../nginx/protocol.ts'
import type { ProgramEnv } from '../processes/environment.ts'
import type { WorkerEntry } from './app-upstream.ts'
import type { WorkerLimits } from './autoscaling/decision.ts'
import type { RecyclePolicy } from './recycling.ts'
import { socketPath } from './socket-paths.ts'

/** Plan of the workers of an app: their program and the policies that apply to them. Times in ms. */
export interface WorkerPlan {
  app: string
  /** The configured command, for messages. */
  argv: readonly string[]
  /** The command with `$PORT` replaced by the worker's port. */
  argvFor(port: number | undefined): string[]
  directory: string
  uid: number | undefined
  gid: number | undefined
  count: number
  /** Number of entries in nginx's upstream, shared equally among the workers; 0 for one per worker. */
  entries: number
  /** Limits for scaling by load; undefined if the number is fixed. */
  limits: WorkerLimits | undefined
  /** Time without requests after which the last worker ends until the next request; undefined: never. */
  idleMs?: number | undefined
  /** Source of the load: the preload in a Node worker, or nginx, which measures how long responses take. */
  loadFrom: 'worker' | 'nginx'
  /** Whether the command runs Node, which wants its socket non-blocking. */
  isNode?: boolean
  listen: 'inherit' | 'port'
  /** Protocol that nginx speaks to the workers; undefined: HTTP. */
  protocol?: Protocol
  /** Slots that a rolling restart replaces at the same time. */
  surge: number | undefined
  /** Whether the program restarts itself, or reloads its modules, when its files change. */
  watchesItself: boolean
  /** Whether a worker ends before its replacement starts. */
  stopsFirst: boolean
  recycle: RecyclePolicy
  env(identity: {
    requestLimit: number
    slot: number
    socketInode: number | undefined
    port: number | undefined
  }): ProgramEnv
  bootTimeoutMs: number
  /** Time without a sign of life after which a worker counts as hung; 0 for never. */
  timeoutMs: number
  /** Health check, a sign of life in addition to the heartbeat of the Node preload: a GET of the path, or without one the probe of its protocol. */
  health: { path: string | undefined; intervalMs: number } | undefined
  /** Signal on which a worker stops gracefully. */
  stopSignal: NodeJS.Signals
  gracefulTimeoutMs: number
  /** Whether the other processes of a worker finish their requests when its first process dies. Default: they are killed. */
  drainsGroup?: boolean
  minUptimeMs: number
  /** Action after a fast failure: retry with backoff, or wait for a command. */
  afterFailure: 'retry' | 'wait'
  backoff: { initialMs: number; maxMs: number }
}

/** Upstream entries of workers that do not run yet. */
export function plannedServers({ app, count, entries, listen }: WorkerPlan, runDir: string): WorkerEntry[] {
  return Array.from({ length: Math.max(count, entries) }, (_, index) => ({
    slot: index + 1,
    address:
      listen === 'port'
        ? { kind: 'tcp', port: 1024 + index }
        : { kind: 'unix', path: socketPath(runDir, app, index + 1) },
  }))
}
