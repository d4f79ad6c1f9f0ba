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
/** Duration of one run of wrk; runs follow one another until the last certificate has been seen. */
const wrkSeconds = 5
const deadlineMs = 30_000
const pollMs = 20
const targetMs = 5000

/** Replacement of certificates under load, over kept and new connections. */
export const certificates: Measure = {
  name: 'certificates',
  title: `Repeated replacement of a certificate, under ${connections} kept connections and ${connections} new ones at a time`,
  async run(bench) {
    const directory = join(bench.workspace.dir, 'certificates')
    mkdirSync(directory)
    makeCertificate(directory)
    const running = await bench.monohull.start({ certificates: directory })
    try {
      await untilServing(running, `${origins(running).https}/`)
      return await replaceAll(bench, running, directory)
    } finally {
      await running.stop()
    }
  },
}

async function replaceAll(bench: Bench, running: Running, directory: string): Promise<string> {
  const seconds = (bench.swaps * deadlineMs) / 1000
  const kept = startClient({ port: running.httpsPort, isTls: true, connections: { GET: connections }, seconds })
  let isOver = false
  const fresh = loadFresh(running, () => isOver)
  const times: number[] = []
  for (let swap = 1; swap <= bench.swaps; swap++) {
    times.push(await timeSwap(running.httpsPort, directory))
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

/** Loads with wrk, with a new connection for each request. */
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

/** Time in ms from the last byte of a new certificate to the first handshake that shows it. */
async function timeSwap(port: number, directory: string): Promise<number> {
  const next = `${directory}-next`
  mkdirSync(next, { recursive: true })
  makeCertificate(next)
  const { serialNumber } = new X509Certificate(readFileSync(`${next}/fullchain.pem`))
  for (const name of ['privkey.pem', 'fullchain.pem']) renameSync(join(next, name), join(directory, name))
  const changedAt = performance.now()
  while ((await serialAt(port)) !== serialNumber) {
    if (performance.now() - changedAt > deadlineMs) throw new Error('cannot see the new certificate: timed out')
    await pause(pollMs)
  }
  return performance.now() - changedAt
}

/** Serial number of the served certificate; undefined if the handshake failed. */
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
