import type { Change } from '../base/change.ts'
import type { Metric } from '../base/metrics.ts'
import type { Stopping } from '../base/stopping.ts'
import type { RunningModel } from '../site/compose.ts'
import type { Settings } from '../site/settings.ts'
import type { WorkerCount } from '../workers/ready-count.ts'
import type { Status } from './status.ts'

/** A part of a run: something that runs, or that nginx is told about. */
export interface Subject {
  readonly name: string
  /** Whether no request depends on it: it drains beside the subjects that serve. */
  readonly isIndependent?: boolean
  /** Reason why it cannot take other settings without a restart; undefined when it can. */
  fixed?(next: Settings): string | undefined
  /** The next generation, built beside what runs; undefined: nothing changes. Whatever it throws abandons the reload. */
  prepare?(next: Settings): Promise<Change<RunningModel> | undefined>
  /** Its part of nginx's model under the settings in force: what follows from what runs. `site/compose.ts` has the rest. */
  model?(settings: Settings): Partial<RunningModel>
  status?(): Partial<Status>
  metrics?(): Metric[] | Promise<Metric[]>
  /** Reason for an orchestrator to restart the container; undefined while there is none. */
  failing?(): string | undefined
  /** Reason why it is not ready; undefined when it is. */
  unready?(): string | undefined
  /** Workers that get requests; undefined where there are none. */
  workers?(): WorkerCount | undefined
  /** Ends what it does by itself, such as schedules and checks, when a stop begins. What serves requests goes on. */
  quiesce?(): unknown
  /** Ends its processes. Settles when none is left. A quick one may follow a graceful one that has not settled. */
  stop?(how: Stopping): Promise<unknown>
  /** Releases what it holds, such as sockets, when no process is left. */
  close?(): unknown
}
