import { X509Certificate } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { connect } from 'node:tls'
import type { Bench, Measure } from '../bench.ts'
import { startClient } from '../client/client.ts'
import { countFailures, percentile } from '../client/tally.ts'
import { load } from '../load.ts'
import { describeMedian } from '../median.ts'
import { origins, type Running, untilServing } from '../stacks/stack.ts'
import { markdownTable } from '../table.ts'
import { makeCertificate } from '../workspace.ts'

const connections = 16
/** One run of wrk; they follow one another until the last certificate was seen. */
const wrkSeconds = 5
const deadlineMs = 30_000
const pollMs = 20
const targetMs = 5000

/** Certificates exchanged under load, over kept and over new connections. */
export const certificates: Measure = {
  name: 'certificates',
  title: `A certificate exchanged again and again, under ${connections} kept connections and ${connections} new ones at a time`,
  async run(bench) {
    const folder = join(bench.workspace.dir, 'certificates')
    mkdirSync(folder)
    makeCertificate(folder)
    const running = await bench.monohull.start({ certificates: folder })
    try {
      await untilServing(running, `${origins(running).https}/`)
      return await exchange(bench, running, folder)
    } finally {
      await running.stop()
    }
  },
}

async function exchange(bench: Bench, running: Running, folder: string): Promise<string> {
  const seconds = (bench.swaps * deadlineMs) / 1000
  const kept = startClient({ port: running.httpsPort, isTls: true, connections: { GET: connections }, seconds })
  let isOver = false
  const fresh = loadFresh(running, () => isOver)
  const times: number[] = []
  for (let swap = 1; swap <= bench.swaps; swap++) {
    times.push(await timeSwap(running.httpsPort, folder))
    if (swap % 10 === 0) bench.say(`certificates: ${swap} of ${bench.swaps}`)
  }
  isOver = true
  const [tally, { requests, failed }] = await Promise.all([kept.stop(), fresh])
  const slowest = Math.max(...times)
  const rows = [
    ['kept connections', String(tally.requests.GET), String(countFailures(tally, 'GET')), String(tally.retried)],
    ['new connections', String(requests), String(failed), '–'],
  ]
  const verdict = slowest <= targetMs ? 'met' : '**missed**'
  return [
    markdownTable(['', 'requests', 'failed (target 0)', 'retried'], rows),
    `${bench.swaps} certificates, each seen after ${describeMedian(times)} ms, p99 ${Math.round(percentile(times, 0.99))} ms (slowest ≤ ${targetMs}: ${verdict}).`,
  ].join('\n\n')
}

/** wrk with a connection for each request. */
async function loadFresh({ httpsPort, dir }: Running, isOver: () => boolean) {
  const total = { requests: 0, failed: 0 }
  while (!isOver()) {
    const url = `https://127.0.0.1:${httpsPort}/`
    const result = await load({ url, method: 'GET', connections, seconds: wrkSeconds, dir, isFresh: true })
    total.requests += result.requests
    total.failed += result.status + result.connect + result.read + result.write + result.timeout
  }
  return total
}

/** From the last byte of a new certificate to the first handshake that shows it, in ms. */
async function timeSwap(port: number, folder: string): Promise<number> {
  const next = `${folder}-next`
  mkdirSync(next, { recursive: true })
  makeCertificate(next)
  const { serialNumber } = new X509Certificate(readFileSync(`${next}/fullchain.pem`))
  for (const name of ['privkey.pem', 'fullchain.pem']) renameSync(join(next, name), join(folder, name))
  const changedAt = performance.now()
  while ((await serialAt(port)) !== serialNumber) {
    if (performance.now() - changedAt > deadlineMs) throw new Error('a new certificate is not served')
    await pause(pollMs)
  }
  return performance.now() - changedAt
}

/** Undefined when there was no handshake. */
function serialAt(port: number): Promise<string | undefined> {
  return new Promise(resolve => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, timeout: 5000 }, () => {
      resolve(socket.getPeerX509Certificate()?.serialNumber)
      socket.destroy()
    })
    socket.once('timeout', () => socket.destroy())
    socket.once('error', () => resolve(undefined))
    socket.once('close', () => resolve(undefined))
  })
}
