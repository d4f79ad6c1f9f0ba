import { readFileSync } from 'node:fs'
import { listProcesses, type ProcessStat } from './procfs.ts'

/** Process that was found by its environment. */
export interface FoundProcess {
  pid: number
  group: number
  command: string
  /** Clock ticks from boot to its start; identifies it together with the pid. */
  startTime: number
}

/** Process that a worker has left behind. */
export interface DetachedProcess extends FoundProcess {
  /** `app.1` */
  worker: string
}

/**
 * Processes outside of this one's tree that have the environment of a worker of the instance in `runDir`: daemons that the worker started
 * in a session of their own. Those that a running worker of the same name may have started are left out. `living`: pids of running workers by name.
 */
export function findDetached(runDir: string, living: ReadonlyMap<string, ReadonlySet<number>>): DetachedProcess[] {
  const all = listProcesses()
  const byPid = new Map(all.map(stat => [stat.pid, stat]))
  return all.flatMap(stat => {
    if (stat.state === 'Z' || isBelow(process.pid, stat, byPid)) return []
    const env = readEnvironment(stat.pid)
    const worker = env.get('MONOHULL_WORKER')
    if (worker === undefined || env.get('MONOHULL_RUN_DIR') !== runDir) return []
    const starts = [...(living.get(worker) ?? [])].map(pid => byPid.get(pid)?.startTime ?? 0)
    if (starts.some(startTime => stat.startTime >= startTime)) return []
    return [{ worker, ...stat }]
  })
}

/** Processes that were started with this value of a variable, whatever their parent and session. */
export function findMarked(name: string, value: string): FoundProcess[] {
  return listProcesses().filter(({ pid, state }) => state !== 'Z' && readEnvironment(pid).get(name) === value)
}

/** Signals such a process, unless it has ended. */
export function signalDetached({ pid, startTime }: FoundProcess, signal: NodeJS.Signals): void {
  const present = listProcesses().find(stat => stat.pid === pid)
  if (present?.startTime !== startTime) return
  try {
    process.kill(pid, signal)
  } catch {
    // it has ended, or belongs to another user
  }
}

function isBelow(pid: number, stat: ProcessStat, byPid: ReadonlyMap<number, ProcessStat>): boolean {
  const seen = new Set<number>()
  for (let one: ProcessStat | undefined = stat; one && !seen.has(one.pid); one = byPid.get(one.parent)) {
    if (one.pid === pid) return true
    seen.add(one.pid)
  }
  return false
}

/** Environment that a process was started with; empty if it is not readable. */
function readEnvironment(pid: number): Map<string, string> {
  try {
    const entries = readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0')
    return new Map(entries.map(entry => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]))
  } catch {
    return new Map()
  }
}
