import { type Clock, pause } from '../../base/clock.ts'
import type { Job } from './job.ts'
import type { SharedJobs } from './sharing.ts'

/** Delay before the next try after a failed one, while nothing reports that the shared state is back. */
const retryMs = 1000
/** Time in which every instance finds out that the shared state is back, and records the ends of its runs. */
const settleMs = 3000

/** Dependencies of `followShared`. */
export interface FollowingDeps extends Pick<SharedJobs, 'measureTime' | 'watch'> {
  clock: Clock
  jobs: ReadonlyMap<string, Job>
  /** Exchanges what is known of a job. Rejects, or settles with false, while the shared state is unavailable. */
  sync(job: Job): Promise<boolean>
  /** Runs what is due, and waits for what is due next. */
  look(): void
}

/** Jobs that follow the shared state. */
export interface Following {
  /** Exchanges what is known of all jobs, and again whenever the shared state is back or another instance changes a job. */
  begin(): void
  /** Does so once more in a moment. */
  retry(): void
  /** Whether that has been done once. Before, it is unknown what others have run. */
  isSynced(): boolean
  end(): void
}

/** Follows the shared state once it has begun. */
export function followShared({ clock, jobs, sync, look, measureTime, watch }: FollowingDeps): Following {
  let isSynced = false
  let stopWatching: (() => void) | undefined
  let isBusy = false
  const over = new AbortController()
  /** Jobs that wait; undefined: all of them. */
  let waiting: Set<string> | undefined = new Set()
  let isSettled = false
  let cancelRetry = () => {}

  async function syncWaiting(): Promise<boolean> {
    const all = waiting === undefined
    const chosen = [...jobs.values()].filter(({ plan }) => waiting?.has(plan.name) ?? true)
    waiting = new Set()
    if (all) await measureTime()
    for (const job of chosen) if (!(await sync(job))) return false
    isSynced ||= all && isSettled
    return true
  }

  async function work(): Promise<void> {
    if (isBusy) return
    isBusy = true
    cancelRetry()
    let isDone = true
    while (isDone && !over.signal.aborted && (waiting === undefined || waiting.size > 0)) {
      isDone = await syncWaiting().catch(() => false)
      if (isDone && !isSettled) {
        isSettled = await settle()
        continue
      }
      isSettled = isDone
      look()
    }
    isBusy = false
    if (!isDone) retry()
  }

  /** Whether there is something to do afterwards. */
  async function settle(): Promise<boolean> {
    waiting = undefined
    return pause(clock, settleMs, over.signal).then(
      () => true,
      () => false,
    )
  }

  function retry(): void {
    waiting = undefined
    cancelRetry()
    if (!over.signal.aborted && !isBusy) cancelRetry = clock.after(retryMs, () => void work())
  }

  function add(name: string | undefined): void {
    if (name === undefined) waiting = undefined
    else waiting?.add(name)
    if (jobs.size > 0) void work()
  }

  return {
    begin() {
      stopWatching ??= watch(add)
      add(undefined)
    },
    retry,
    isSynced: () => isSynced,
    end() {
      over.abort()
      cancelRetry()
      stopWatching?.()
    },
  }
}
