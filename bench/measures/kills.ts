import { setTimeout as pause } from 'node:timers/promises'
import type { Bench, Measure } from '../bench.ts'
import { startClient } from '../client/client.ts'
import { type Kill, startKiller } from '../killer.ts'
import { load } from '../load.ts'
import { childrenOf } from '../processes.ts'
import { origins, type Running, type Stack, untilServing } from '../stacks/stack.ts'
import { markdownTable } from '../table.ts'

const connections = 64
/** Rounds of the peers. They fail by the thousand or not at all, which one round shows. */
const peerRounds = 1
const recoveryMs = 5000

const described: Record<Kill, string> = {
  'workers slowly': 'a worker, 1 per s',
  workers: 'a worker, 5 per s',
  nginx: "nginx's master, 1 per 2 s",
  both: 'worker 5 per s, master 1 per 2 s',
}

interface Totals {
  kills: number
  runs: number
  /** Runs after which nginx again had a master with workers. */
  recovered: number
  wrk: { requests: number; status: number; read: number; other: number }
  retrying: { requests: number; retried: number; failures: Record<string, number> }
}

/** Failed GETs while processes are killed with -9. */
export const kills: Measure = {
  name: 'kills',
  title: `Failed GETs while processes are killed with -9, ${connections} connections`,
  async run(bench) {
    const rows: string[][] = []
    const errors = new Set<string>()
    for (const victim of bench.kills) {
      for (const stack of [bench.monohull, ...bench.peers]) {
        const totals = emptyTotals()
        const rounds = stack === bench.monohull ? bench.rounds : peerRounds
        for (let round = 1; round <= rounds; round++) {
          bench.say(`kills: ${victim}, ${stack.name}, round ${round} of ${rounds}`)
          await runRound(bench, { stack, victim, totals, errors })
        }
        rows.push(describeTotals(stack, victim, totals))
      }
    }
    return [markdownTable(head, rows), explanation, ...describeErrors(errors)].join('\n\n')
  },
}

const head = [
  'killed',
  'under',
  'kills',
  'wrk: GETs',
  'status ≥ 400',
  'closed',
  'other errors',
  'retrying client: GETs',
  'retried',
  'failed',
  'master back',
]

const explanation = `Target: with Monohull no status ≥ 400, no other error, no failed request.

"closed" is what wrk calls read errors: connections that ended before a response. An nginx worker that gets QUIT
closes its idle connections, although a request may be on its way over them; Monohull sends QUIT to those of a dead master only
when they are quiet. RFC 9112 §9.3.1 then allows a client to repeat an idempotent request; browsers and proxies do, wrk
never does. The retrying client (client/client.ts) does so once, if the connection was used before and closed before
any byte of the response.

"master back": runs after which nginx again had a master with workers. Without one, the remaining workers keep
serving, but nothing can reload them or stop them in order. PM2 gives up an app after 16 fast restarts, supervisord after 3.`

interface RoundOptions {
  stack: Stack
  victim: Kill
  totals: Totals
  errors: Set<string>
}

async function runRound(bench: Bench, { stack, victim, totals, errors }: RoundOptions): Promise<void> {
  const { seconds } = bench
  const underFault = async (work: (running: Running) => Promise<void>) => {
    const running = await stack.start()
    try {
      await untilServing(running, `${origins(running).http}/`)
      const killer = startKiller(running, victim)
      try {
        await work(running)
      } finally {
        totals.kills += killer.stop()
      }
      totals.runs++
      if (await hasMaster(running)) totals.recovered++
      if (stack === bench.monohull) gatherErrors(running, errors)
    } finally {
      await running.stop()
    }
  }
  await underFault(async running => {
    const url = `${origins(running).http}/`
    const result = await load({ url, method: 'GET', connections, seconds, dir: running.dir })
    totals.wrk.requests += result.requests
    totals.wrk.status += result.status
    totals.wrk.read += result.read
    totals.wrk.other += result.connect + result.write + result.timeout
  })
  await underFault(async running => {
    const client = startClient({ port: running.httpPort, connections: { GET: connections }, seconds })
    await client.untilCompleted(Number.POSITIVE_INFINITY)
    const tally = await client.stop()
    totals.retrying.requests += tally.requests.GET
    totals.retrying.retried += tally.retried
    for (const [name, count] of Object.entries(tally.failures.GET)) {
      totals.retrying.failures[name] = (totals.retrying.failures[name] ?? 0) + count
    }
  })
}

async function hasMaster(running: Running): Promise<boolean> {
  const deadline = performance.now() + recoveryMs
  while (performance.now() < deadline) {
    const pid = running.nginxPid()
    if (pid !== undefined && childrenOf(pid).length > 0) return true
    await pause(50)
  }
  return false
}

function emptyTotals(): Totals {
  return {
    kills: 0,
    runs: 0,
    recovered: 0,
    wrk: { requests: 0, status: 0, read: 0, other: 0 },
    retrying: { requests: 0, retried: 0, failures: {} },
  }
}

function describeTotals(stack: Stack, victim: Kill, totals: Totals): string[] {
  const { kills, runs, recovered, wrk, retrying } = totals
  const failures = Object.entries(retrying.failures).map(([name, count]) => `${name}: ${count.toLocaleString('en')}`)
  const figures = [kills, wrk.requests, wrk.status, wrk.read, wrk.other, retrying.requests, retrying.retried]
  return [
    described[victim],
    stack.name,
    ...figures.map(figure => figure.toLocaleString('en')),
    failures.length === 0 ? '0' : failures.join(', '),
    `${recovered} of ${runs}`,
  ]
}

/** Collects the errors that nginx logged, each kind once. */
function gatherErrors(running: Running, errors: Set<string>): void {
  for (const line of running.log().split('\n')) {
    const [, text] = /\[(?:error|alert|crit|emerg)\] \d+#\d+: (?:\*\d+ )?([^,]+)/.exec(line) ?? []
    if (text) errors.add(text.replace(/\/\S+\/(?=[^/\s]+\.sock)/, ''))
  }
}

function describeErrors(errors: ReadonlySet<string>): string[] {
  if (errors.size === 0) return []
  return [
    `Errors that nginx logged under Monohull, each kind once: ${[...errors].map(text => `\`${text}\``).join('; ')}.`,
  ]
}
