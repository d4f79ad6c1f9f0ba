import { setTimeout as pause } from 'node:timers/promises'
import { childrenOf, commandOf, kill } from '../processes.ts'
import type { CommandResult, Control } from './stack.ts'

const deadlineMs = 15_000
const pollMs = 20

/** Processes that are controlled by signals. */
export interface SignalledOptions {
  /** Pid of the process that receives the signals. */
  master: () => number | undefined
  /** Pids of the app's processes, including draining ones. */
  workerPids: () => number[]
  rollSignal: NodeJS.Signals
}

/** Finds the child that runs `program` and remembers it: the kernel's list of children may be incomplete while others end. */
export function createMasterFinder(program: string): (parent: number) => number | undefined {
  let found: number | undefined
  const isRunning = (pid: number) => commandOf(pid).includes(program)
  return parent => {
    found ??= childrenOf(parent).find(isRunning)
    return found !== undefined && isRunning(found) ? found : undefined
  }
}

/** Control of a master by signals, which return nothing: TTIN, TTOU, and one for a rolling restart. */
export function controlBySignals({ master, workerPids, rollSignal }: SignalledOptions): Control {
  const send = (signal: NodeJS.Signals) => {
    const pid = master()
    return pid !== undefined && kill(pid, signal)
  }
  const until = async (isDone: () => boolean, what: string): Promise<CommandResult> => {
    const deadline = performance.now() + deadlineMs
    for (;;) {
      if (master() === undefined) return { isDone: false, detail: 'the master has ended' }
      if (isDone()) return { isDone: true, detail: '' }
      if (performance.now() > deadline) return { isDone: false, detail: `${what} takes longer than ${deadlineMs} ms` }
      await pause(pollMs)
    }
  }
  const roll = async () => {
    const old = workerPids()
    send(rollSignal)
    return until(() => {
      const now = workerPids()
      return now.length === old.length && !now.some(pid => old.includes(pid))
    }, 'the rolling restart')
  }
  return {
    roll,
    rollOut: roll,
    async scale(wanted) {
      const present = workerPids().length
      const signal = wanted > present ? 'SIGTTIN' : 'SIGTTOU'
      for (let count = Math.abs(wanted - present); count > 0; count--) {
        if (!send(signal)) return { isDone: false, detail: 'the master has ended' }
        // a signal that arrives before the previous one was handled is lost
        await pause(100)
      }
      return until(() => workerPids().length === wanted, 'scaling')
    },
  }
}
