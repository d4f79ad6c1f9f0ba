import type { Clock } from '../../base/clock.ts'
import type { SharedState } from '../../shared-state/state.ts'
import { jobRecords } from './shared-store.ts'

/** Age of the last sign of life from which on an instance counts as gone: three are missing. */
const goneMs = 30_000

/** What jobs need from the shared state besides their store. All reject while it is unavailable. */
export interface SharedJobs {
  /** Tells which instances are alive. */
  judgeOwners(): Promise<(owner: string) => boolean>
  /** Measures the time by which the jobs are due. */
  measureTime(): Promise<void>
  /** Reports changes of a job by others; undefined: of any. The returned function ends it. */
  watch(onChange: (name: string | undefined) => void): () => void
}

/** Clock whose time is that of the shared state, so that jobs are due everywhere at once. */
export function sharedClock(clock: Clock, state: Pick<SharedState, 'now'>): Clock {
  return { ...clock, now: state.now }
}

/** What jobs need from a shared state. An owner ends with `#` and the id of its instance. */
export function sharedJobs({
  id: own,
  members,
  measureTime,
  watch,
}: Pick<SharedState, 'id' | 'members' | 'measureTime' | 'watch'>): SharedJobs {
  return {
    async judgeOwners() {
      const alive = new Set((await members()).flatMap(({ id, ageMs }) => (ageMs < goneMs ? [id] : [])))
      alive.add(own)
      return owner => alive.has(owner.slice(owner.lastIndexOf('#') + 1))
    },
    measureTime,
    watch: onChange => watch(jobRecords, name => onChange(name?.slice(jobRecords.length))),
  }
}
