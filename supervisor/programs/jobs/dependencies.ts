import type { ProcessRuntime } from '../../processes/child.ts'
import type { FailureLimits } from '../../processes/failure-limit.ts'
import type { OomWatch } from '../../processes/oom-watch.ts'
import type { SharedState } from '../../shared-state/state.ts'
import type { JobSettings } from './plan.ts'

/** Settings that the jobs depend on. */
export interface JobsSettings extends JobSettings {
  config: { state_dir: string; run_dir: string }
}

/** Dependencies of the jobs. */
export interface JobsDeps extends ProcessRuntime {
  /** The settings in force. */
  settings(): JobsSettings
  oomWatch: OomWatch
  failures: FailureLimits
  /** State in which instances agree about jobs with `once: cluster`; undefined: there are none. */
  sharedState: SharedState | undefined
}
