import { setTimeout as pause } from 'node:timers/promises'
import { type Client, startClient } from '../client/client.ts'
import { addTally, type Tally } from '../client/tally.ts'
import { kill, processesUsing } from '../processes.ts'
import { origins, type Running, untilServing } from '../stacks/stack.ts'
import type { Fault, Outcome } from './fault.ts'
import { connections, emptyOutcome, startSide } from './under-load.ts'

const times = 10
/** Time over which the moments of TERM are spread during a restart; during boot it is the measured boot time. */
const restartMs = 800
const stopDeadlineMs = 15_000
const leftDeadlineMs = 1000
const loadSeconds = 120
/** Failures that a client sees when a server accepts no more requests. */
const turnedAwayKinds = ['refused', 'reset']
/** Accepted exits. Before a program has a handler for TERM, the signal ends it; that is correct if no process is left. */
const goodEnds = ['0', '143', 'SIGTERM']

/** TERM before anything serves. */
export const termDuringBoot: Fault = {
  name: 'term-boot',
  title: `TERM during boot, ${times} times, at different moments`,
  needs: 'stopInOrder',
  asksWorkersToEnd: false,
  async play({ stack }) {
    const whole = await stack.start({ entry: 'closing.js' })
    const bootMs = await untilServing(whole, `${origins(whole).http}/`)
    await whole.stop()
    return stopTimes(async moment => {
      const running = await stack.start({ entry: 'closing.js' })
      const client = startLoad(running)
      await pause(moment * bootMs)
      return { running, client }
    })
  },
}

/** TERM while workers are being replaced. */
export const termDuringRestart: Fault = {
  name: 'term-reload',
  title: `TERM during a rolling restart, ${times} times, at different moments`,
  needs: 'stopInOrder',
  asksWorkersToEnd: true,
  play: (side, { requests }) =>
    stopTimes(async moment => {
      const running = await startSide(side)
      const client = startLoad(running)
      await client.untilCompleted(Math.ceil(requests / times))
      client.enter('during')
      // the stop cuts it short, so there may be no response
      void running.control?.roll().catch(() => undefined)
      await pause(moment * restartMs)
      return { running, client }
    }),
}

interface Loaded {
  running: Running
  client: Client
}

/** Starts and stops a stack several times. `start` waits until the moment of the stop, from 0 to 1. */
async function stopTimes(start: (moment: number) => Promise<Loaded>): Promise<Outcome> {
  const outcome = emptyOutcome()
  const durations: number[] = []
  for (let count = 1; count <= times; count++) {
    const { running, client } = await start(count / times)
    try {
      durations.push(await stopOnce(running, outcome))
    } finally {
      const tally = await client.stop()
      outcome.turnedAway += takeTurnedAway(tally)
      addTally(outcome.tally, tally)
      await running.stop()
    }
  }
  outcome.notes.push(`within ${(Math.max(...durations) / 1000).toFixed(1)} s`)
  return outcome
}

/** Sends TERM and waits for the end; returns the time in ms. */
async function stopOnce(running: Running, { problems, notes }: Outcome): Promise<number> {
  const startedAt = performance.now()
  kill(running.pid, 'SIGTERM')
  const end = await Promise.race([running.ended, pause(stopDeadlineMs, 'no end', { ref: false })])
  const tookMs = performance.now() - startedAt
  if (goodEnds.includes(end)) notes.push(`ended with ${end}`)
  else problems.push(`ended with ${end}`)
  const deadline = performance.now() + leftDeadlineMs
  while (processesUsing(running.dir).length > 0) {
    if (performance.now() > deadline) {
      problems.push('processes were left')
      break
    }
    await pause(50)
  }
  return tookMs
}

function startLoad({ httpPort }: Running): Client {
  return startClient({ port: httpPort, connections, seconds: loadSeconds })
}

/** Removes rejected requests from the failures, and returns their number: rejecting them is correct during a stop. */
function takeTurnedAway(tally: Tally): number {
  let taken = 0
  for (const method of ['GET', 'POST'] as const) {
    for (const kind of turnedAwayKinds) {
      const count = tally.failures[method][kind] ?? 0
      delete tally.failures[method][kind]
      tally.requests[method] -= count
      taken += count
    }
  }
  return taken
}
