import { request } from 'node:http'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Bench, Measure } from '../bench.ts'
import { load } from '../load.ts'
import { describeMedian, ratios } from '../median.ts'
import { type Changes, measureChanges } from '../routes/changes.ts'
import { bodyOf, configOf, hostOf, requestsFor, routesTo } from '../routes/hosts.ts'
import { measureSize } from '../routes/size.ts'
import { findMissing, type Redis, startPattern, startRedis, startTargets, type Targets } from '../stacks/routed.ts'
import { origins, type Running, untilServing } from '../stacks/stack.ts'
import { markdownTable } from '../table.ts'
import { emptyLogs } from './throughput.ts'

const many = 100_000
const most = 1_000_000
const connections = 64
/** First visits are slow, later ones are not. */
const mostSeconds = 30
/** Time after which nginx would ask again about a host, without signs of life. */
const oldMs = 35_000
const routedDeadlineMs = 30_000
/** The file is written again with each change. */
const changes = { redis: 1000, file: 20 }

/** Dynamic routes to many hosts. */
export const routes: Measure = {
  name: 'routes',
  title: `Dynamic routes: ${many.toLocaleString('en')} hosts at random, ${connections} connections`,
  async run(bench) {
    const missing = findMissing()
    if (missing.length > 0) return `left out, not available here: ${missing.join(', ')}`
    const targets = await startTargets(bench.workspace)
    const redis = await startRedis(bench.workspace)
    try {
      redis.fill(routesTo(`127.0.0.1:${targets.first}`, many))
      return [await underLoad(bench, targets, redis), await sizes(bench, targets, redis)].join('\n\n')
    } finally {
      redis.stop()
      await targets.running.stop()
    }
  },
}

async function untilRouted(running: Running): Promise<void> {
  const deadline = performance.now() + routedDeadlineMs
  for (;;) {
    const body = await bodyOf(running, hostOf(1))
    if (body === 'first\n') return
    if (performance.now() > deadline) throw new Error(`${running.name} responds with ${body}: ${running.log()}`)
    await pause(20)
  }
}

interface Side {
  name: string
  running: Running
  hosts: 'random' | 'static'
  perSecond: number[]
  p99: number[]
}

async function underLoad(bench: Bench, targets: Targets, redis: Redis): Promise<string> {
  const file = JSON.stringify(Object.fromEntries(routesTo(`127.0.0.1:${targets.first}`, many)))
  const started: Running[] = []
  const add = async (starting: Promise<Running>) => {
    const running = await starting
    started.push(running)
    return running
  }
  try {
    const inFile = await add(bench.monohull.start({ config: configOf(targets.first, 'file'), routes: file }))
    await untilServing(inFile, origins(inFile).http)
    const inRedis = await add(bench.monohull.start({ config: configOf(targets.first, `unix:${redis.socket}`) }))
    await untilServing(inRedis, origins(inRedis).http)
    const pattern = await add(startPattern(bench.workspace, redis.socket))
    for (const running of started) await untilRouted(running)

    const side = (name: string, running: Running, hosts: Side['hosts']) => ({
      ...{ name, running, hosts },
      ...{ perSecond: [], p99: [] },
    })
    const [fileSide, redisSide] = [side('in a file', inFile, 'random'), side('in Redis', inRedis, 'random')]
    const staticSide = side('one configured route', inFile, 'static')
    const patternSide = side('Lua asks Redis on each request', pattern, 'random')
    const first = [await visitAll(bench, inFile), await visitAll(bench, inRedis)]
    await pause(oldMs)
    const failed = await alternate([staticSide, fileSide, redisSide, patternSide], bench)
    const compared = [fileSide, redisSide].map(({ name, perSecond, p99 }, index) => [
      name,
      `${Math.round(first[index] ?? 0)}`,
      ...[describeMedian(perSecond), describeMedian(p99, 1)],
      describeMedian(ratios(perSecond, staticSide.perSecond), 2),
      describeMedian(ratios(perSecond, patternSide.perSecond), 2),
    ])
    const others = [staticSide, patternSide].map(({ name, perSecond, p99 }) => [
      ...[name, '–', describeMedian(perSecond), describeMedian(p99, 1), '–', '–'],
    ])
    const head = [
      'routes',
      'first visits, req/s',
      'req/s',
      'p99, ms',
      'of one route (≥ 0.95)',
      'of the pattern (≥ 1.5)',
    ]
    const portOf = (target: 'first' | 'second') => targets[target]
    const moved: [string, Changes][] = [
      [
        'in a file',
        await measureChanges(inFile, changes.file, (host, target) =>
          postAdmin(inFile, `/routes/${host}/set?target=127.0.0.1:${portOf(target)}`),
        ),
      ],
      [
        'in Redis',
        await measureChanges(inRedis, changes.redis, (host, target) => redis.set(host, `127.0.0.1:${portOf(target)}`)),
      ],
    ]
    const rows = moved.map(([name, { count, p99, failed, requests }]) => [
      ...[name, `${count}`, p99.toFixed(1), `${failed} of ${requests}`],
    ])
    return [
      markdownTable(head, [...compared, ...others]),
      `Failed requests in all runs: ${failed}.`,
      markdownTable(['changes under load', 'number', 'visible after, p99 in ms (≤ 50)', 'failed requests (0)'], rows),
    ].join('\n\n')
  } finally {
    for (const running of started) await running.stop()
  }
}

/** Loads the sides in turn, and notes what they manage. Returns the number of failed requests. */
async function alternate(sides: readonly Side[], bench: Bench): Promise<number> {
  let failed = 0
  for (let round = 0; round < bench.rounds; round++) {
    bench.say(`routes: round ${round + 1} of ${bench.rounds}`)
    for (const { running, hosts, perSecond, p99 } of round % 2 === 0 ? sides : sides.toReversed()) {
      const result = await visit(running, hosts, bench.seconds)
      failed += result.status + result.connect + result.read + result.write + result.timeout
      perSecond.push(result.perSecond)
      p99.push(result.p99)
      emptyLogs(running)
    }
  }
  return failed
}

/** Requests per second of the first visits, with which every host is visited. */
async function visitAll(bench: Bench, running: Running): Promise<number> {
  const first = await visit(running, 'in order', bench.seconds)
  // each run begins with the first host
  for (let { requests, perSecond } = first; requests < many; )
    ({ requests, perSecond } = await visit(
      running,
      'in order',
      Math.min(Math.ceil((many / perSecond) * 1.5), mostSeconds),
    ))
  return first.perSecond
}

function visit(running: Running, hosts: Parameters<typeof requestsFor>[0], seconds: number) {
  const url = `${origins(running).http}/`
  return load({ url, method: 'GET', connections, seconds, dir: running.dir, lua: requestsFor(hosts, many) })
}

async function sizes(bench: Bench, { first }: Targets, redis: Redis): Promise<string> {
  const target = `127.0.0.1:${first}`
  const rows: string[][] = []
  for (const count of [1, most]) {
    const all = routesTo(target, count)
    redis.fill(all)
    const file = JSON.stringify(Object.fromEntries(all))
    for (const [name, options] of [
      ['in a file', { config: configOf(first, 'file'), routes: file }],
      ['in Redis', { config: configOf(first, `unix:${redis.socket}`) }],
    ] as const) {
      bench.say(`routes: ${count} ${name}`)
      const size = await measureSize(bench.monohull, options, { count, seconds: bench.seconds * 4 })
      rows.push([
        ...[count.toLocaleString('en'), name, size.startSeconds.toFixed(1)],
        ...[size.supervisorMb, size.nginxMb].map(mb => mb.toFixed(0)),
        ...[size.visitedSupervisorMb, size.visitedNginxMb].map(mb => mb.toFixed(0)),
      ])
    }
  }
  const memory = ['supervisor, MB', 'nginx, MB', 'supervisor after visits', 'nginx after visits']
  return markdownTable(['routes', '', 'start, s', ...memory], rows)
}

function postAdmin({ dir }: Running, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socketPath = join(dir, 'run/admin.sock')
    const sent = request({ socketPath, path, method: 'POST', agent: false }, response => {
      response.resume().once('end', resolve)
    })
    sent.once('error', reject)
    sent.end()
  })
}
