import { setTimeout as pause } from 'node:timers/promises'
import { kill } from '../processes.ts'
import type { Running } from '../stacks/stack.ts'
import type { Fault } from './fault.ts'
import { connections, underLoad } from './under-load.ts'

const timeoutSeconds = 2
const times = 3
const deadlineMs = 30_000
const pollMs = 50

/** A worker hangs without ending. */
export const hang: Fault = {
  name: 'hang',
  title: `SIGSTOP of a worker, ${times} times; \`timeout\` of ${timeoutSeconds} s ends it`,
  needs: 'timeout',
  asksWorkersToEnd: false,
  play: (side, amount) =>
    underLoad({
      side,
      amount,
      start: { timeoutSeconds },
      async act({ running, outcome }) {
        for (let count = 0; count < times; count++) {
          const [pid = 0] = running.workerPids()
          const startedAt = performance.now()
          kill(pid, 'SIGSTOP')
          const isGone = await untilGone(running, pid)
          // only the supervisor knows when it kills the worker: all POSTs may be in flight in it
          outcome.lostAtMost += connections.POST
          if (isGone) outcome.notes.push(`ended after ${((performance.now() - startedAt) / 1000).toFixed(1)} s`)
          else {
            outcome.problems.push(`a stopped worker still exists after ${deadlineMs / 1000} s`)
            kill(pid, 'SIGKILL')
          }
        }
      },
    }),
}

async function untilGone(running: Running, pid: number): Promise<boolean> {
  const deadline = performance.now() + deadlineMs
  while (running.workerPids().includes(pid)) {
    if (performance.now() > deadline) return false
    await pause(pollMs)
  }
  return true
}
