import { type Clock, pause } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Stopping } from '../base/stopping.ts'
import type { HookRunner } from '../programs/hook-runner.ts'
import { createAttempt } from './attempt.ts'
import type { Run } from './run.ts'
import type { Subject } from './subject.ts'

/** Mode of a stop, and the exit code after it. */
export type StopReason = { mode: 'graceful' | 'quick'; code: number }

/** Share of the remaining time after which the next subject begins to stop, even if the previous one is still stopping. */
const turnShare = 0.6
/** Time reserved at the end of a stop for the last signals and records. */
const reserveMs = 300
/** Time for all processes to end in a quick stop; those that are left are killed. */
const quickStopMs = 600
/** Time to close what remains when no process runs. */
const closeMs = 250
/** Time of a whole stop that somebody hurries. */
const hurriedMs = 950
/** Time beyond stop_timeout after which a stop ends, whatever does not stop. */
const overdueMs = 1000
/** Share of stop_timeout, minus stop_delay, that before_stop may take. */
const hookShare = 0.5

/** Dependencies of a stop. */
export interface StopDeps {
  clock: Clock
  log: Log
  run: Run
  hooks: HookRunner | undefined
  /** Whether nginx serves requests; if not, there is nothing to wait for. */
  isServing: boolean
  /** Whether a load balancer may have seen that it is ready; if not, there is none to notice the stop. */
  mayHaveBeenReady: boolean
  /** Settles when the stop has to be quick. */
  hurried: Promise<void>
}

/**
 * Stops everything within stop_timeout, in this order: readiness ends, before_stop runs, stop_delay passes so that load balancers
 * notice unless it was never ready, then the subjects stop in reverse order, so that nginx finishes its requests while workers still serve. Subjects that no
 * request depends on stop meanwhile, and background processes last: workers may need them. `hurried` cuts the stop short. Settles when no process of the run is left. A subject that
 * cannot be stopped is logged. Ends in any case: within a second when it is hurried, otherwise a second after stop_timeout.
 */
export async function stop(deps: StopDeps, reason: StopReason): Promise<void> {
  const { clock, log, run, hurried } = deps
  const overdue = Promise.race([
    pause(clock, run.settings().config.stop_timeout + overdueMs),
    hurried.then(() => pause(clock, hurriedMs)),
  ]).then(() => 'overdue' as const)
  if ((await Promise.race([stopAll(deps, reason), overdue])) === 'overdue') log.error('the stop did not finish in time')
}

async function stopAll(deps: StopDeps, { mode, code }: StopReason): Promise<void> {
  const { clock, log, run, hooks, hurried } = deps
  const attempt = createAttempt(log)
  const { stop_timeout, stop_delay } = run.settings().config
  const deadline = clock.monotonic() + stop_timeout - reserveMs
  const leftMs = () => Math.max(0, deadline - clock.monotonic())
  const quieted = run.drain()
  log.info('stopping', { mode, timeout_ms: stop_timeout })
  if (mode === 'graceful') {
    if (deps.isServing) {
      const limitMs = (leftMs() - stop_delay) * hookShare
      const facts = { exitCode: code }
      const beforeStop = () => hooks?.attempt('before_stop', run.settings().hooks, { facts, limitMs })
      await Promise.race([attempt('cannot stop', 'hooks', beforeStop), hurried])
      if (deps.mayHaveBeenReady) await Promise.race([pause(clock, stop_delay), hurried])
    }
    await Promise.race([stopInTurn(deps, { mode, leftMs }), hurried])
  }
  await stopQuickly(deps)
  const inTime = mode === 'graceful' ? Promise.race([pause(clock, leftMs()), hurried]) : Promise.resolve()
  await Promise.race([attempt('cannot stop', 'hooks', () => hooks?.settled()), inTime])
  await attempt('cannot stop', 'hooks', () => hooks?.end())
  await Promise.race([quieted, inTime])
  const closeDeadline = clock.monotonic() + closeMs
  for (const { name, close } of [...run.subjects()].reverse())
    await Promise.race([
      attempt('cannot close', name, () => close?.()),
      pause(clock, Math.max(0, closeDeadline - clock.monotonic())),
    ])
}

async function stopInTurn({ clock, log, run, isServing }: StopDeps, how: Stopping): Promise<void> {
  const attempt = createAttempt(log)
  const { independent, inTurn } = order(run.subjects())
  const stopOne = ({ name, stop }: Subject) => attempt('cannot stop', name, () => stop?.(how))
  const stopped = independent.map(stopOne)
  for (const subject of inTurn.filter(({ stopsLast }) => isServing || stopsLast)) {
    const one = stopOne(subject)
    stopped.push(one)
    await Promise.race([one, pause(clock, how.leftMs() * turnShare)])
  }
  await Promise.all(stopped)
}

/** Stops nginx first: it would respond with 502 for workers that end before it. */
async function stopQuickly({ clock, log, run }: StopDeps): Promise<void> {
  const attempt = createAttempt(log)
  const deadline = clock.monotonic() + quickStopMs
  const how: Stopping = { mode: 'quick', leftMs: () => Math.max(0, deadline - clock.monotonic()) }
  const { independent, inTurn } = order(run.subjects())
  const stopOne = ({ name, stop }: Subject) => attempt('cannot stop', name, () => stop?.(how))
  const stopped = independent.map(stopOne)
  for (const subject of inTurn) {
    const one = stopOne(subject)
    stopped.push(one)
    await Promise.race([one, pause(clock, how.leftMs() * turnShare)])
  }
  await Promise.all(stopped)
}

function order(subjects: readonly Subject[]): { independent: Subject[]; inTurn: Subject[] } {
  const stoppable = subjects.filter(subject => subject.stop)
  return {
    independent: stoppable.filter(({ isIndependent }) => isIndependent),
    inTurn: [
      ...stoppable.filter(({ isIndependent, stopsLast }) => !isIndependent && !stopsLast).reverse(),
      ...stoppable.filter(({ stopsLast }) => stopsLast),
    ],
  }
}
