import { setImmediate as immediate, setTimeout as pause } from 'node:timers/promises'
import { type Client, startClient } from '../client/client.ts'
import type { Method } from '../client/connection.ts'
import { emptyTally } from '../client/tally.ts'
import { isRunning, kill } from '../processes.ts'
import { origins, type Running, type StartOptions, untilServing } from '../stacks/stack.ts'
import { workers } from '../workspace.ts'
import type { Amount, Handler, Outcome, Side } from './fault.ts'

/** Connections of every load, half of them for each method. */
export const connections: Record<Method, number> = { GET: 16, POST: 16 }

const entries: Record<Handler, string> = {
  none: 'server.js',
  'server.close()': 'closing.js',
  drains: 'draining.js',
}
/** Share of the requests before a fault; at least the same number follows it. */
const quietShare = 0.2
const loadDeadlineSeconds = 600
const workersDeadlineMs = 30_000
const pollMs = 20
/** Time in which nginx adds the last worker, which workers do not notice. */
const settleMs = 1000

/** Fault in progress. */
export interface Incident {
  running: Running
  client: Client
  outcome: Outcome
  /** Kills workers with -9; POSTs in flight may be lost. Settles when the workers have ended. */
  killWorkers(pids: readonly number[]): Promise<void>
}

/** Load with a fault. */
export interface LoadPlan {
  side: Side
  amount: Amount
  start?: StartOptions
  /** Pause between a response and the next request; default: none. */
  pauseMs?: number
  loadSeconds?: number
  act: (incident: Incident) => Promise<void>
}

/** Starts the side's stack, and runs the fault under a load of GETs and POSTs. */
export async function underLoad(plan: LoadPlan): Promise<Outcome> {
  const { side, amount, start, pauseMs = 0, loadSeconds = loadDeadlineSeconds, act } = plan
  const running = await startSide(side, start)
  const outcome = emptyOutcome()
  try {
    const client = startClient({ port: running.httpPort, connections, seconds: loadSeconds, pauseMs })
    const quiet = Math.ceil(amount.requests * quietShare)
    try {
      await client.untilCompleted(quiet)
      client.enter('during')
      await act({ running, client, outcome, killWorkers: pids => killWorkers(client, outcome, pids) })
      client.enter('after')
      await client.untilCompleted(Math.max(amount.requests, client.completed() + quiet))
    } finally {
      outcome.tally = await client.stop()
    }
    const { GET, POST } = outcome.tally.requests
    if (GET + POST < amount.requests) outcome.problems.push(`only ${GET + POST} requests in ${loadSeconds} s`)
    return outcome
  } finally {
    await running.stop()
  }
}

/** Starts the stack with the side's app; settles when all its workers serve. */
export async function startSide({ stack, handler }: Side, options: StartOptions = {}): Promise<Running> {
  const running = await stack.start({ ...(handler && { entry: entries[handler] }), ...options })
  await untilServing(running, `${origins(running).http}/`)
  const deadline = performance.now() + workersDeadlineMs
  while (running.readyWorkers() < (options.workers ?? workers) && performance.now() < deadline) await pause(pollMs)
  await pause(settleMs)
  return running
}

/** Waits for a number of workers; false on timeout. */
export async function untilWorkers(running: Running, wanted: number): Promise<boolean> {
  const deadline = performance.now() + workersDeadlineMs
  while (running.workerPids().length !== wanted) {
    if (performance.now() > deadline) return false
    await pause(pollMs)
  }
  return true
}

/** Outcome without requests. */
export function emptyOutcome(): Outcome {
  return { tally: emptyTally(), lostAtMost: 0, turnedAway: 0, notes: [], problems: [] }
}

/** Kills workers. The kernel takes milliseconds to end a process; POSTs that reach it until then are in flight in it too. */
async function killWorkers(client: Client, outcome: Outcome, pids: readonly number[]): Promise<void> {
  const completed = client.sent('POST') - client.inFlight('POST')
  const killed = pids.filter(pid => kill(pid, 'SIGKILL'))
  const deadline = performance.now() + workersDeadlineMs
  while (killed.some(isRunning) && performance.now() < deadline) await immediate()
  if (killed.length > 0) outcome.lostAtMost += client.sent('POST') - completed
}
