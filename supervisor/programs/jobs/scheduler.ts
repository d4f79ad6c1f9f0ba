import { type Clock, untilTick } from '../../base/clock.ts'
import { countFrom, type Job, takeDue } from './job.ts'
import { setBackMs } from './record.ts'
import type { Runner } from './runner.ts'

/** Longest time between two looks at the clock, which may be set or be suspended with the machine. */
const lookMs = 30_000
/** Difference between the system's time and the time that has passed from which on the clock was set back. */
const setMs = 1000

/** Timer of all jobs. */
export interface Scheduler {
  /** Runs what is due, and waits for what is due next. */
  look(): void
  end(): void
}

/** Dependencies of the scheduler. */
export interface SchedulerDeps {
  clock: Clock
  runner: Pick<Runner, 'due' | 'missed'>
  jobs(): Iterable<Job>
  /** Instant before which whatever is due was missed. */
  openedAt: number
}

/** Scheduler that waits for nothing until `look`. */
export function createScheduler({ clock, runner, jobs, openedAt }: SchedulerDeps): Scheduler {
  let cancel = () => {}
  let missedUntil = openedAt
  let last = { now: clock.now(), monotonic: clock.monotonic() }

  function look(): void {
    cancel()
    const now = clock.now()
    const expected = last.now + clock.monotonic() - last.monotonic
    last = { now, monotonic: clock.monotonic() }
    const isSetBack = now < expected - setMs
    if (isSetBack) missedUntil = Math.min(missedUntil, now)
    let next = Number.POSITIVE_INFINITY
    for (const job of jobs()) {
      if (isSetBack) countFrom(job, job.seen <= now + setBackMs ? job.seen : now)
      if (now >= job.next) act(job, now)
      next = Math.min(next, job.next)
    }
    cancel = clock.after(Math.min(Math.max(next - now, 0), untilTick(clock, lookMs)), look)
  }

  function act(job: Job, now: number): void {
    const { runAt, missed } = takeDue(job, now, missedUntil)
    if (job.isPaused) return
    if (missed) void runner.missed(job, missed)
    if (runAt !== undefined) runner.due(job, runAt)
  }

  return { look, end: () => cancel() }
}
