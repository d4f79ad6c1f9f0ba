import { readdirSync, readFileSync } from 'node:fs'
import { childrenOf } from './processes.ts'

/** Figures of one process from /proc. */
export interface ProcessFigures {
  openFiles: number
  /** Resident memory in MB of 2^20 bytes. */
  rssMb: number
  /** Children that have ended and were not waited for. */
  zombies: number
  /** CPU time of all its threads since its start. */
  cpuMs: number
}

/** Reads the current figures of a process. */
export function readFigures(pid: number): ProcessFigures {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return {
    openFiles: readdirSync(`/proc/${pid}/fd`).length,
    rssMb: Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024,
    zombies: childrenOf(pid).filter(child => readStat(child)?.[0] === 'Z').length,
    cpuMs: readdirSync(`/proc/${pid}/task`).reduce((sum, thread) => sum + cpuOfThread(pid, thread), 0),
  }
}

/** Pid of the parent; 0 if the process has ended. */
export function parentOf(pid: number): number {
  return Number(readStat(pid)?.[1] ?? 0)
}

/** Fields of /proc/PID/stat from the state on, which follows the name in parentheses. */
function readStat(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')
  } catch {
    return undefined // it has ended
  }
}

/** CPU time of a thread in ms, from schedstat, which counts ns: ticks of 10 ms are too coarse for a process at rest. */
function cpuOfThread(pid: number, thread: string): number {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]) / 1e6
  } catch {
    return 0 // ended
  }
}
