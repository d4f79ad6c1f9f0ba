import { pause } from '../base/clock.ts'
import type { Runtime } from '../base/runtime.ts'
import type { DetachedProcess } from '../processes/adapters/detached.ts'

/** Time after the end of a worker for those of the same moment to be looked at together. */
const gatherMs = 200
/** Time from SIGTERM to SIGKILL. */
const graceMs = 2000
const stopGraceMs = 300

/** What happens to processes that a worker leaves behind in sessions of their own. */
export type DetachedPolicy = 'report' | 'end'

/** Watch for processes that survive their worker although its group has ended. */
export interface DetachedWatch {
  started(worker: string, pid: number): void
  ended(worker: string, pid: number): void
  /** Looks once more, at the end of a run. Settles when those to end are gone or killed. */
  stop(): Promise<void>
}

/** Dependencies of the watch. */
export interface DetachedWatchDeps extends Pick<Runtime, 'clock' | 'log'> {
  /** Processes that workers have left behind; `living`: pids of running workers by name. */
  find(living: ReadonlyMap<string, ReadonlySet<number>>): DetachedProcess[]
  signal(process: DetachedProcess, signal: NodeJS.Signals): void
  /** Policy of the app of a worker. */
  policyOf(worker: string): DetachedPolicy | undefined
}

/** Watch over workers, none of which runs yet. */
export function createDetachedWatch({ clock, log, find, signal, policyOf }: DetachedWatchDeps): DetachedWatch {
  const living = new Map<string, Set<number>>()
  const known = new Set<string>()
  /** Process groups of workers, which end with them. */
  const groups = new Set<number>()
  let cancelLook: (() => void) | undefined

  /** Reports what was found for the first time; returns what is to end. */
  function look(): DetachedProcess[] {
    cancelLook?.()
    cancelLook = undefined
    const found = find(living).filter(one => !groups.has(one.group) && !known.has(keyOf(one)))
    for (const one of found) {
      known.add(keyOf(one))
      const { worker, pid, command } = one
      const ends = policyOf(worker) === 'end'
      const fields = { worker, pid, command }
      if (ends) log.warn('ending a process that a worker left behind', fields)
      else log.warn('a worker left a process behind', { ...fields, fix: `end it (kill ${pid}), or set detached: end` })
    }
    const doomed = found.filter(({ worker }) => policyOf(worker) === 'end')
    for (const one of doomed) signal(one, 'SIGTERM')
    return doomed
  }

  function lookLater(): void {
    cancelLook ??= clock.after(gatherMs, () => {
      const doomed = look()
      if (doomed.length > 0) clock.after(graceMs, () => kill(doomed))
    })
  }

  function kill(doomed: readonly DetachedProcess[]): void {
    for (const one of doomed) signal(one, 'SIGKILL')
  }

  return {
    started(worker, pid) {
      groups.add(pid)
      living.set(worker, (living.get(worker) ?? new Set()).add(pid))
    },
    ended(worker, pid) {
      living.get(worker)?.delete(pid)
      lookLater()
    },
    async stop() {
      const doomed = look()
      if (doomed.length === 0) return
      await pause(clock, stopGraceMs)
      kill(doomed)
    },
  }
}

function keyOf({ pid, startTime }: DetachedProcess): string {
  return `${pid} ${startTime}`
}
