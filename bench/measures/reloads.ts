import { setTimeout as pause } from 'node:timers/promises'
import type { Bench, Measure } from '../bench.ts'
import { startClient } from '../client/client.ts'
import { startHttp2Client } from '../client/http2-client.ts'
import type { Tally } from '../client/tally.ts'
import {
  type CommandResult,
  origins,
  type Running,
  type Stack,
  type StartOptions,
  untilServing,
} from '../stacks/stack.ts'
import { markdownTable } from '../table.ts'

const reloadCount = 20
const connections = { GET: 8, POST: 8 }
const sessions = 8
const streams = 1
const deadlineSeconds = 1200
const pollMs = 20

/** Change that is made twenty times under load. */
interface Change {
  name: string
  options?: StartOptions
  isFor(stack: Stack): boolean
  make(running: Running, number: number): Promise<CommandResult>
}

const roll = (running: Running) => running.control?.roll() ?? Promise.resolve({ isDone: false, detail: 'cannot roll' })
const changes: readonly Change[] = [
  { name: 'changed header', isFor: () => true, make: setRelease },
  { name: 'restart, listen: inherit', isFor: canRoll, make: roll },
  { name: 'restart, listen: port', options: { listen: 'port' }, isFor: canRoll, make: roll },
]

function canRoll({ abilities }: Stack): boolean {
  return abilities.includes('roll')
}

/** Requests on kept connections during reloads and rolling restarts. */
export const reloads: Measure = {
  name: 'reloads',
  title: `Requests on kept connections during ${reloadCount} reloads`,
  async run(bench) {
    const rows: string[][] = []
    for (const stack of [bench.monohull, bench.script, ...bench.fronts])
      for (const change of changes.filter(({ isFor }) => isFor(stack))) {
        bench.say(`reloads: ${stack.name}, ${change.name}`)
        rows.push(...(await runChange(bench, stack, change)))
      }
    const columns = ['', 'change', 'protocol', 'requests', 'lost (target 0)', 'sent again after GOAWAY']
    return `${markdownTable(columns, rows)}\n\n${explanation}`
  },
}

const explanation = `HTTP/1.1: half GETs, half POSTs, over plain connections and over TLS; a request is lost if its connection ends before the response, also a GET that a client might send again. HTTP/2:
GETs, one at a time on each connection. What a GOAWAY says was not processed is not lost; nginx sends one after 1,000 requests too.`

async function runChange(bench: Bench, stack: Stack, change: Change): Promise<string[][]> {
  const running = await stack.start(change.options)
  try {
    await untilServing(running, `${origins(running).https}/`)
    const one = { connections, seconds: deadlineSeconds }
    const plain = startClient({ ...one, port: running.httpPort })
    const tls = startClient({ ...one, port: running.httpsPort, isTls: true })
    const http2 = startHttp2Client({ port: running.httpsPort, connections: sessions, streams })
    const completed = () => Math.min(plain.completed() + tls.completed(), http2.completed())
    for (let number = 1; number <= reloadCount; number++) {
      while (completed() < (bench.amount.requests * number) / (reloadCount + 1)) await pause(pollMs)
      const { isDone, detail } = await change.make(running, number)
      if (!isDone) throw new Error(`${stack.name}, ${change.name}: ${detail}`)
    }
    while (completed() < bench.amount.requests) await pause(pollMs)
    const [tally, secured, streamed] = await Promise.all([plain.stop(), tls.stop(), http2.stop()])
    const rows = [
      ['HTTP/1.1', ...figuresOf(tally)],
      ['HTTPS/1.1', ...figuresOf(secured)],
      ['HTTP/2', String(streamed.requests), describe(streamed.failures), String(streamed.retried)],
    ]
    return rows.map(row => [stack.name, change.name, ...row])
  } finally {
    await running.stop()
  }
}

/** Requests, and those that were lost: failed, or sent again although the server may have processed them. */
function figuresOf({ requests, retried, failures }: Tally): string[] {
  const lost: Record<string, number> = { ...failures.GET, ...(retried > 0 && { 'GET sent again': retried }) }
  for (const [kind, count] of Object.entries(failures.POST)) lost[kind] = (lost[kind] ?? 0) + count
  return [String(requests.GET + requests.POST), describe(lost), '–']
}

/** `210 (200 reset, 10 cut off)` */
function describe(failures: Record<string, number>): string {
  const kinds = Object.entries(failures)
  const count = kinds.reduce((sum, [, failed]) => sum + failed, 0)
  return count === 0 ? '0' : `${count} (${kinds.map(([kind, failed]) => `${failed} ${kind}`).join(', ')})`
}

/** Changes the header, and waits until new connections get it. */
async function setRelease(running: Running, release: number): Promise<CommandResult> {
  const result = await running.setRelease(release)
  const deadline = performance.now() + 30_000
  while (result.isDone && (await releaseAt(running)) !== String(release)) {
    if (performance.now() > deadline) return { isDone: false, detail: 'the new header is not seen' }
    await pause(pollMs)
  }
  return result
}

async function releaseAt(running: Running): Promise<string | null> {
  const response = await fetch(`${origins(running).http}/`, { headers: { connection: 'close' } }).catch(() => undefined)
  await response?.text()
  return response?.headers.get('x-release') ?? null
}
