import { readdirSync, readFileSync } from 'node:fs'
import { childrenOf } from './processes.ts'

/** Of one process, as /proc has it now. */
export interface ProcessFigures {
  openFiles: number
  /** In MB of 2^20 bytes. */
  rssMb: number
  /** Its children that have ended and were not waited for. */
  zombies: number
  /** Of all its threads, since its start. */
  cpuMs: number
}

export function readFigures(pid: number): ProcessFigures {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return {
    openFiles: readdirSync(`/proc/${pid}/fd`).length,
    rssMb: Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024,
    zombies: childrenOf(pid).filter(child => readStat(child)?.[0] === 'Z').length,
    cpuMs: readdirSync(`/proc/${pid}/task`).reduce((sum, thread) => sum + cpuOfThread(pid, thread), 0),
  }
}

/** 0 once the process has ended. */
export function parentOf(pid: number): number {
  return Number(readStat(pid)?.[1] ?? 0)
}

/** The fields of /proc/PID/stat from the state on, which comes after the name in brackets. */
function readStat(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')
  } catch {
    return undefined // it has ended
  }
}

/** In ns there; ticks of 10 ms would be too coarse for a process at rest. */
function cpuOfThread(pid: number, thread: string): number {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]) / 1e6
  } catch {
    return 0 // ended
  }
}
