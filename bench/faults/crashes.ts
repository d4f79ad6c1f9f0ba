import { setTimeout as pause } from 'node:timers/promises'
import type { Fault } from './fault.ts'
import { underLoad } from './under-load.ts'

const killEveryMs = 200
const killAllEveryMs = 2000
const killAllTimes = 5

/** Random workers are killed one after the other. */
export const killOne: Fault = {
  name: 'kill-one',
  title: '`kill -9` of a random worker, 5 a second',
  asksWorkersToEnd: false,
  play: (side, amount) =>
    underLoad({
      side,
      amount,
      async act({ running, killWorkers, outcome }) {
        const times = Math.round((amount.seconds * 1000) / killEveryMs)
        for (let count = 0; count < times; count++) {
          const pids = running.workerPids()
          await killWorkers(pids.slice(Math.floor(Math.random() * pids.length)).slice(0, 1))
          await pause(killEveryMs)
        }
        outcome.notes.push(`${times} kills`)
      },
    }),
}

/** All workers are killed at the same time. */
export const killAll: Fault = {
  name: 'kill-all',
  title: `\`kill -9\` of all workers at once, ${killAllTimes} times`,
  asksWorkersToEnd: false,
  play: (side, amount) =>
    underLoad({
      side,
      amount,
      async act({ running, killWorkers }) {
        for (let count = 0; count < killAllTimes; count++) {
          await killWorkers(running.workerPids())
          await pause(killAllEveryMs)
        }
      },
    }),
}
