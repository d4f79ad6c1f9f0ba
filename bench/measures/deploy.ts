import { execFile } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { Measure } from '../bench.ts'
import { baseImage, buildBaseImage, docker, hasEngine, label, removeLeftovers, withoutEngine } from '../engine.ts'
import { describeMedian } from '../median.ts'
import { markdownTable } from '../table.ts'
import { freePorts, home } from '../workspace.ts'

const run = promisify(execFile)
const image = 'monohull-bench:deploy'
const host = 'shop.example.com'
const subnet = '172.31.97'
const deadlineMs = 60_000
/** Time between two requests, each on a connection of its own. */
const everyMs = 20
/** Time after a deployment in which the load goes on. */
const afterMs = 1000

/** What clients saw of a deployment. */
interface Seen {
  /** Longest time between two good responses, in ms. */
  gap: number
  failed: number
  requests: number
  /** Time that the deployment took, in ms. */
  took: number
}

interface Variant {
  name: string
  port: number
  deploy: () => Promise<unknown>
}

/** Time without a response while the container of an app is replaced: by deploy/one-host, and by `docker stop && docker run`. */
export const deploy: Measure = {
  name: 'deploy',
  title: `A new container for an app, under a request each ${everyMs} ms on a new connection`,
  async run({ workspace, rounds, say }) {
    if (!hasEngine()) return withoutEngine
    process.once('exit', removeLeftovers)
    say('deploy: building the image')
    await buildBaseImage()
    const context = mkdtempSync(join(workspace.dir, 'deploy-'))
    const app = "require('http').createServer((_, response) => response.end('hello')).listen(3000)\n"
    writeFileSync(join(context, 'server.js'), app)
    const dockerfile = `FROM ${baseImage}\nCOPY server.js /app/\nCMD ["monohull", "run", "node", "server.js"]\n`
    writeFileSync(join(context, 'Dockerfile'), dockerfile)
    await docker(['build', '--quiet', '--tag', image, context])
    const variants = [await behindFront(), await stopAndRun()]
    const all = variants.map((): Seen[] => [])
    for (let round = 1; round <= rounds; round++) {
      say(`deploy: round ${round} of ${rounds}`)
      for (const [index, variant] of variants.entries()) all[index]?.push(await watch(variant))
    }
    const rows = variants.map(({ name }, index) => {
      const column = (key: keyof Seen) => describeMedian((all[index] ?? []).map(seen => seen[key]))
      return [name, column('gap'), column('failed'), column('requests'), column('took')]
    })
    return markdownTable(['', 'longest time without a response, ms', 'failed requests', 'of', 'deployment, ms'], rows)
  },
}

/** A front with two containers in turn behind it, as deploy/one-host has them. */
async function behindFront(): Promise<Variant> {
  const name = `bench-deploy-${process.pid}`
  await docker([
    'network',
    'create',
    '--label',
    label,
    '--subnet',
    `${subnet}.0/24`,
    '--ip-range',
    `${subnet}.128/25`,
    name,
  ])
  const [port = 0] = await freePorts(1)
  const config = ['--volume', `${home}/deploy/one-host/front.yaml:/app/monohull.yaml:ro`]
  const options = ['--detach', '--label', label, '--network', name, '--publish', `127.0.0.1:${port}:443`, ...config]
  const front = await docker(['run', ...options, baseImage])
  const ADDRESSES = `${subnet}.10 ${subnet}.11`
  const env = { ...process.env, HOST: host, NAME: name, FRONT: front, NETWORK: name, ADDRESSES }
  const args = [image, '--label', label, '--env', 'MONOHULL_HTTPS=off']
  const deployOnce = () => run(`${home}/deploy/one-host/deploy.sh`, args, { env })
  await until(() => docker(['exec', front, 'monohull', 'status']))
  await deployOnce()
  return { name: 'deploy/one-host/deploy.sh', port, deploy: deployOnce }
}

/** A container with published ports, in whose place comes another. */
async function stopAndRun(): Promise<Variant> {
  const [port = 0] = await freePorts(1)
  const start = () => docker(['run', '--detach', '--label', label, '--publish', `127.0.0.1:${port}:443`, image])
  let id = await start()
  return {
    name: '`docker stop && docker run`',
    port,
    async deploy() {
      await docker(['stop', id])
      id = await start()
    },
  }
}

async function until(act: () => Promise<unknown>): Promise<void> {
  const deadline = Date.now() + deadlineMs
  for (;;) {
    const isDone = await act().then(
      () => true,
      () => false,
    )
    if (isDone) return
    if (Date.now() > deadline) throw new Error('the container does not serve')
    await pause(100)
  }
}

/** A deployment under load. It ends with a good response, whenever that comes. */
async function watch({ port, deploy: deployOnce }: Variant): Promise<Seen> {
  await until(() => get(port))
  const seen = { gap: 0, failed: 0, requests: 0, took: 0 }
  const open = new Set<Promise<void>>()
  let lastGood = performance.now()
  const ask = async () => {
    seen.requests++
    try {
      await get(port)
      seen.gap = Math.max(seen.gap, performance.now() - lastGood)
      lastGood = performance.now()
    } catch {
      seen.failed++
    }
  }
  const load = setInterval(() => {
    const asked = ask().finally(() => open.delete(asked))
    open.add(asked)
  }, everyMs)
  try {
    const startedAt = performance.now()
    await deployOnce()
    seen.took = performance.now() - startedAt
    await pause(afterMs)
    await until(() => get(port))
  } finally {
    clearInterval(load)
    await Promise.all(open)
  }
  await ask()
  return seen
}

/** Settles with a complete response of 200; rejects otherwise. */
function get(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const options = {
      host: '127.0.0.1',
      port,
      headers: { host },
      agent: false as const,
      rejectUnauthorized: false,
      timeout: 5000,
    }
    const sent = request(options, response => {
      response.resume().once('close', () => {
        if (response.complete && response.statusCode === 200) resolve()
        else reject(new Error(String(response.statusCode)))
      })
    })
    sent.once('timeout', () => sent.destroy())
    sent.once('error', reject)
    sent.end()
  })
}
