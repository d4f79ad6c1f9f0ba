import { backoffMs } from '../../base/backoff.ts'
import { formatDuration } from '../../base/duration.ts'
import { reasonOf } from '../../base/errors.ts'
import type { ProcessRuntime } from '../../processes/child.ts'
import { describeExit, exitCodeOf } from '../../processes/exit.ts'
import type { ManagedProcess } from '../../processes/managed-process.ts'
import type { OomWatch } from '../../processes/oom-watch.ts'
import { manageTask } from '../../processes/task-process.ts'
import { endLeftovers, type LeftoverMachine, runVariable } from './leftovers.ts'
import type { JobPlan } from './plan.ts'
import type { RunResult } from './record.ts'

/** Dependencies of a run. */
export interface AttemptsDeps extends ProcessRuntime {
  oomWatch: OomWatch
  leftovers: LeftoverMachine
}

/** End of a run. */
export interface RunEnd {
  result: RunResult
  /** Exit of the last attempt as text, or why it could not start. */
  exit: string
  /** 0 only after a success. */
  exitCode: number
  attempts: number
  lastLines: string[]
}

/** Attempts of one run, of which the first has been started. */
export interface Attempts {
  readonly ended: Promise<RunEnd>
  /** Pid of the present attempt; undefined between two. */
  pid(): number | undefined
  /** Stops it, with SIGKILL after `graceMs`, and starts no other attempt. A second call can only shorten that. */
  stop(as: 'stopped' | 'replaced', graceMs: number): void
}

/**
 * Runs the command of a job, and again after a failure, as often as its plan says. `run` is its id. What an attempt that was cut off has started
 * ends with it, in sessions of its own too; after one that ended by itself, daemons go on.
 */
export function startAttempts(deps: AttemptsDeps, plan: JobPlan, run: string): Attempts {
  const { clock, log } = deps
  let managed: ManagedProcess | undefined
  let stoppedAs: 'stopped' | 'replaced' | undefined
  let endPause = () => {}
  let killBy = Number.POSITIVE_INFINITY

  async function attempt(attempts: number): Promise<RunEnd> {
    const { argv, directory, uid, gid } = plan
    const env = { ...plan.env, [runVariable]: run }
    let child: ManagedProcess['child']
    try {
      const spec = { argv, directory, env, uid, gid, inherit: [], output: 'relay', notify: false } as const
      child = deps.spawn({ ...spec, name: `job:${plan.name}` })
    } catch (error) {
      return { result: 'failure', exit: reasonOf(error), exitCode: 126, attempts, lastLines: [] }
    }
    log.info('job started', { job: plan.name, pid: child.pid, attempt: plan.retries > 0 ? attempts : undefined })
    managed = manageTask({ child, clock, timeoutMs: plan.timeoutMs, graceMs: plan.gracefulTimeoutMs })
    const { exit, cause } = await managed.ended
    managed = undefined
    if (cause !== undefined) await endLeftovers(deps, { id: run, job: plan.name, killBy })
    await child.outputEnded()
    const timedOut = cause === 'boot timeout'
    const known = cause === undefined ? deps.oomWatch.judge(exit) : exit
    const ownResult = timedOut ? 'timeout' : exitCodeOf(exit) === 0 ? 'success' : 'failure'
    const result = (cause === 'requested' && stoppedAs) || ownResult
    return {
      result,
      exit: timedOut ? `timeout of ${formatDuration(plan.timeoutMs)}, ${describeExit(known)}` : describeExit(known),
      exitCode: result === 'success' ? 0 : exitCodeOf(exit) || 1,
      attempts,
      lastLines: child.lastLines(),
    }
  }

  async function runAll(): Promise<RunEnd> {
    for (let attempts = 1; ; attempts++) {
      const end = await attempt(attempts)
      if (end.result === 'success' || stoppedAs !== undefined || attempts > plan.retries) return end
      const delayMs = backoffMs(attempts, plan.backoff, deps.random())
      const { exit, lastLines } = end
      log.warn('job failed, tried again', { job: plan.name, exit, delay_ms: delayMs, last_lines: lastLines })
      await new Promise<void>(resolve => {
        const cancel = clock.after(delayMs, resolve)
        endPause = () => {
          cancel()
          resolve()
        }
      })
      if (stoppedAs !== undefined) return { ...end, result: stoppedAs }
    }
  }

  return {
    ended: runAll(),
    pid: () => managed?.child.pid,
    stop(as, graceMs) {
      stoppedAs ??= as
      killBy = Math.min(killBy, clock.monotonic() + graceMs)
      managed?.stop(graceMs)
      endPause()
    },
  }
}
