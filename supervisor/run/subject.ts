import type { Change } from '../base/change.ts'
import type { Metric } from '../base/metrics.ts'
import type { Stopping } from '../base/stopping.ts'
import type { RunningModel } from '../site/compose.ts'
import type { Settings } from '../site/settings.ts'
import type { WorkerCount } from '../workers/ready-count.ts'
import type { Status } from './status.ts'

/** Part of a run: something that runs, or an input of the nginx configuration. */
export interface Subject {
  readonly name: string
  /** Whether no request depends on it, so that it stops at the same time as the subjects that serve. */
  readonly isIndependent?: boolean
  /** Whether requests and others may depend on it although it serves none, so that it stops after all others. */
  readonly stopsLast?: boolean
  /** Reason why it cannot change to these settings without a restart; undefined if it can. */
  fixed?(next: Settings): string | undefined
  /** Prepares the next generation beside the running one; undefined if nothing changes. An error abandons the reload. */
  prepare?(next: Settings): Promise<Change<RunningModel> | undefined>
  /** Part of nginx's model under the settings in force that depends on what runs; `site/compose.ts` adds the rest. */
  model?(settings: Settings): Partial<RunningModel>
  /** Reads what is not kept current while nobody asks, before a status or metrics. */
  refresh?(): Promise<unknown>
  status?(): Partial<Status>
  /** What needs attention in the status, in a sentence each. */
  warnings?(): string[]
  metrics?(): Metric[] | Promise<Metric[]>
  /** Reason for an orchestrator to restart the container; undefined while there is none. */
  failing?(): string | undefined
  /** Reason why it is not ready; undefined when it is. */
  unready?(): string | undefined
  /** Number of workers that get requests; undefined if there are none. */
  workers?(): WorkerCount | undefined
  /** Ends background activity, such as schedules and checks, when a stop begins. Requests are still served. */
  quiesce?(): unknown
  /** Stops its processes. Settles when none is left. A quick stop may follow a graceful one that has not settled. */
  stop?(how: Stopping): Promise<unknown>
  /** Releases resources, such as sockets, when no process is left. */
  close?(): unknown
}
