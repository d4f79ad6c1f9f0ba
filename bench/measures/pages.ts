import { type ClientRequest, get } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import type { Bench, Measure } from '../bench.ts'
import { untilWorkers } from '../faults/under-load.ts'
import { describeMedian } from '../median.ts'
import { readFigures } from '../process-figures.ts'
import { origins, type Running, untilServing } from '../stacks/stack.ts'
import { markdownTable } from '../table.ts'
import { judgeTarget } from '../target.ts'
import { freePorts } from '../workspace.ts'

const openPages = 20
const settleMs = 5000
const measuredMs = 30_000
const mostShare = 2

/** CPU of the supervisor while pages are open. */
export const pages: Measure = {
  name: 'pages',
  title: `CPU of the supervisor with ${openPages} open status pages, in % of a CPU`,
  async run(bench) {
    const sides = bench.builds.flatMap(build =>
      [2, bench.limits.wide].map(workers => ({ build, workers, samples: [] as number[] })),
    )
    for (let round = 1; round <= bench.rounds; round++) {
      bench.say(`pages: round ${round} of ${bench.rounds}`)
      for (const { build, workers, samples } of sides) samples.push(await measure(build, workers))
    }
    const rows = sides.map(({ build, workers, samples }) => [
      `${build.name}, ${workers} workers`,
      describeMedian(samples, 2),
      workers === 2 ? judgeTarget(samples, { atMost: mostShare, unit: ' %', digits: 0 }) : '',
    ])
    return markdownTable(['supervisor', 'CPU, %', 'target'], rows)
  },
}

async function measure(build: Bench['builds'][number], workers: number): Promise<number> {
  const [port = 0] = await freePorts(1)
  const config = `app: { command: [node, server.js], workers: ${workers} }\nhttps: on\nadmin: { port: ${port} }\n`
  const running = await build.start({ config, workers })
  const streams: ClientRequest[] = []
  try {
    await untilServing(running, `${origins(running).http}/`)
    await untilWorkers(running, workers)
    await untilServing(running, `http://127.0.0.1:${port}/`)
    for (let page = 0; page < openPages; page++) streams.push(await openFeed(port))
    await pause(settleMs)
    const before = cpuOf(running)
    await pause(measuredMs)
    return ((cpuOf(running) - before) / measuredMs) * 100
  } finally {
    for (const stream of streams) stream.destroy()
    await running.stop()
  }
}

/** A page's stream of events, which is read and thrown away. */
function openFeed(port: number): Promise<ClientRequest> {
  return new Promise((resolve, reject) => {
    const request = get({ host: '127.0.0.1', port, path: '/feed', agent: false }, response => {
      if (response.statusCode !== 200) return reject(new Error(`the feed responds with ${response.statusCode}`))
      response.resume()
      resolve(request)
    })
    request.on('error', reject)
  })
}

function cpuOf({ supervisorPids }: Running): number {
  return supervisorPids().reduce((sum, pid) => sum + readFigures(pid).cpuMs, 0)
}
