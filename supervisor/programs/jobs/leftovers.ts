import { pause } from '../../base/clock.ts'
import type { Runtime } from '../../base/runtime.ts'
import type { FoundProcess } from '../../processes/adapters/detached.ts'

/** Variable with the id of a run, in the environment of its processes. */
export const runVariable = 'MONOHULL_JOB_RUN'

const graceMs = 2000
const lookMs = 50
/** Looks after SIGKILL: a process may have started another one before it got the signal. */
const mostKills = 20

/** Processes of runs, on this machine. */
export interface LeftoverMachine {
  /** Processes that were started with this value of `runVariable`, in whichever session. */
  find(run: string): FoundProcess[]
  signal(process: FoundProcess, signal: NodeJS.Signals): void
}

/** Dependencies of `endLeftovers`. */
export interface LeftoverDeps extends Pick<Runtime, 'clock' | 'log'> {
  leftovers: LeftoverMachine
}

/**
 * Ends processes of a run that is over which have left its process group for a session of their own: with SIGTERM, and SIGKILL two seconds
 * later, or when `killBy` (on the monotonic clock) comes. Settles when none is left.
 */
export async function endLeftovers(
  deps: LeftoverDeps,
  run: { id: string; job: string; killBy?: number },
): Promise<void> {
  const { clock, log, leftovers } = deps
  let found = leftovers.find(run.id)
  for (const one of found) {
    log.warn('ending a process that a job left behind', { job: run.job, pid: one.pid, command: one.command })
    leftovers.signal(one, 'SIGTERM')
  }
  const killAt = Math.min(clock.monotonic() + graceMs, run.killBy ?? Number.POSITIVE_INFINITY)
  for (let kills = 0; found.length > 0 && kills < mostKills; found = leftovers.find(run.id)) {
    await pause(clock, Math.min(lookMs, Math.max(killAt - clock.monotonic(), 1)))
    if (clock.monotonic() < killAt) continue
    kills++
    for (const one of leftovers.find(run.id)) leftovers.signal(one, 'SIGKILL')
  }
}
