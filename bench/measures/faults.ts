import type { Bench, Measure } from '../bench.ts'
import type { Method } from '../client/connection.ts'
import { addTally, percentile, phases, type Tally } from '../client/tally.ts'
import type { Fault, Handler, Outcome, Side } from '../faults/fault.ts'
import { connections, emptyOutcome } from '../faults/under-load.ts'
import { findMisses } from '../faults/verdict.ts'
import { messageOf } from '../message.ts'
import { NotAvailable } from '../stacks/stack.ts'
import { markdownTable } from '../table.ts'

const head = [
  'fault',
  'under',
  'app on SIGTERM',
  'requests',
  'failed GETs',
  'failed POSTs',
  'turned away',
  'retried',
  ...phases.map(phase => `p50 / p99 ${phase}, ms`),
  'expectation',
  'what else was seen',
]

const explanation = `Expectation: no GET fails, and no POST except those in flight in a killed worker ("of N in flight": all that the
clients had open between the kill and the worker's end, an upper bound). bench/README.md explains the other columns.`

/** Faults caused by operators, apps and the kernel, each under a load of GETs and POSTs. */
export const faults: Measure = {
  name: 'faults',
  title: `Faults under load: ${connections.GET} connections with GETs, ${connections.POST} with POSTs of 16 KB`,
  async run(bench) {
    const rows: string[][] = []
    for (const fault of bench.faults) {
      const sides = sidesFor(bench, fault)
      const results = sides.map((): Result => ({ outcome: emptyOutcome() }))
      for (let round = 1; round <= bench.rounds; round++) {
        for (const [index, side] of sides.entries()) {
          const result = results[index]
          if (!result || result.missing !== undefined) continue
          bench.say(`faults: ${fault.name}, ${describeSide(side).join(', ')}, round ${round} of ${bench.rounds}`)
          await play(bench, { fault, side, result })
        }
      }
      for (const [index, side] of sides.entries()) {
        const row = [fault.title, ...describeSide(side), ...describeResult(results[index])]
        bench.say(`| ${row.join(' | ')} |`)
        rows.push(row)
      }
    }
    return [markdownTable(head, rows), explanation].join('\n\n')
  },
}

interface Result {
  outcome: Outcome
  /** Reason why there is no result. */
  missing?: string
}

/** Sides of a fault. The app's reaction to SIGTERM matters only if the fault sends it. */
function sidesFor({ monohull, rollingPeers }: Bench, { asksWorkersToEnd }: Fault): Side[] {
  return [monohull, ...rollingPeers].flatMap((stack): Side[] => {
    if (stack.language === 'python') return [{ stack }]
    if (!asksWorkersToEnd) return [{ stack, handler: 'server.close()' }]
    const handlers: Handler[] = stack === monohull ? ['none', 'server.close()'] : ['none', 'server.close()', 'drains']
    return handlers.map(handler => ({ stack, handler }))
  })
}

async function play(
  bench: Bench,
  { fault, side, result }: { fault: Fault; side: Side; result: Result },
): Promise<void> {
  if (fault.needs && !side.stack.abilities.includes(fault.needs)) {
    result.missing = '–'
    return
  }
  const { requests, ...amount } = bench.amount
  try {
    const outcome = await fault.play(side, { ...amount, requests: Math.ceil(requests / bench.rounds) })
    addOutcome(result.outcome, outcome)
  } catch (error) {
    if (error instanceof NotAvailable) result.missing = `not available: ${error.message}`
    else result.outcome.problems.push(`aborted: ${messageOf(error).split('\n').slice(0, 1).join('').slice(0, 200)}`)
  }
}

function addOutcome(total: Outcome, more: Outcome): void {
  addTally(total.tally, more.tally)
  total.lostAtMost += more.lostAtMost
  total.turnedAway += more.turnedAway
  total.notes.push(...more.notes)
  total.problems.push(...more.problems)
}

function describeSide({ stack, handler }: Side): [string, string] {
  return [stack.name, handler ?? "Gunicorn's own"]
}

function describeResult(result: Result | undefined): string[] {
  const width = head.length - 3
  if (!result || result.missing !== undefined)
    return [...Array.from({ length: width - 1 }, () => '–'), result?.missing === '–' ? '–' : (result?.missing ?? '–')]
  const { tally, lostAtMost, turnedAway, notes } = result.outcome
  const misses = findMisses(result.outcome)
  const inFlight = lostAtMost > 0 ? ` of ${lostAtMost} in flight` : ''
  return [
    (tally.requests.GET + tally.requests.POST).toLocaleString('en'),
    describeFailures(tally, 'GET'),
    `${describeFailures(tally, 'POST')}${inFlight}`,
    turnedAway.toLocaleString('en'),
    tally.retried.toLocaleString('en'),
    ...phases.map(phase => describeLatencies(tally.latencies[phase])),
    misses.length === 0 ? 'met' : `**missed**: ${countSame(misses)}`,
    countSame(notes),
  ]
}

/** Failed requests by kind: `12 (502: 10, reset: 2)`. */
function describeFailures({ failures }: Tally, method: Method): string {
  const kinds = Object.entries(failures[method])
  const sum = kinds.reduce((total, [, count]) => total + count, 0)
  const parts = kinds.map(([kind, count]) => `${kind}: ${count.toLocaleString('en')}`)
  return sum === 0 ? '0' : `${sum.toLocaleString('en')} (${parts.join(', ')})`
}

function describeLatencies(latencies: readonly number[]): string {
  if (latencies.length === 0) return '–'
  return [0.5, 0.99].map(share => percentile(latencies, share).toFixed(1)).join(' / ')
}

/** Each text once, with its number of occurrences. */
function countSame(texts: readonly string[]): string {
  return [...new Set(texts)]
    .map(text => {
      const count = texts.filter(other => other === text).length
      return count === 1 ? text : `${text} (${count} times)`
    })
    .join('; ')
}
