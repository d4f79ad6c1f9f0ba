import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { Bench, Measure } from '../bench.ts'
import { buildBaseImage, docker, hasEngine, label, removeLeftovers, withoutEngine } from '../engine.ts'
import { describeMedian, ratios } from '../median.ts'
import { fillNginxConf } from '../stacks/nginx-conf.ts'
import { getStatus } from '../stacks/stack.ts'
import { markdownTable } from '../table.ts'
import { freePorts, home, nginxProcesses, workers } from '../workspace.ts'

const run = promisify(execFile)
const derived = 'monohull-bench:app'
const deadlineMs = 60_000
const pollMs = 5

interface Variant {
  name: string
  args: string[]
  command: string[]
}

/** Boot time in ms. */
interface Boot {
  /** Time since `docker run` was called. */
  sinceRun: number
  /** Time since the container's first process started, as recorded by docker. */
  sinceStart: number
}

/** Time from `docker run` to the first 200 over HTTPS on the published port. */
export const container: Measure = {
  name: 'container',
  title: 'Boot of a container to the first 200 over HTTPS',
  async run(bench) {
    if (!hasEngine()) return withoutEngine
    const script = ['/bench/serve.sh', '/bench/nginx.conf', '3001', '3002']
    const variants: Variant[] = [
      { name: 'monohull', args: [], command: [] },
      { name: 'shell script', args: [], command: script },
      { name: 'monohull, making its certificate', args: ['--env', 'MONOHULL_CERT_DIR=/none'], command: [] },
    ]
    await buildImages(bench)
    process.once('exit', removeLeftovers)
    const [port = 0] = await freePorts(1)
    const boots = variants.map((): Boot[] => [])
    // round 0 fills caches
    for (let round = 0; round <= bench.rounds * 2; round++) {
      bench.say(`container: round ${round} of ${bench.rounds * 2}`)
      for (const [index, variant] of variants.entries()) {
        const boot = await timeBoot(variant, port)
        if (round > 0) boots[index]?.push(boot)
      }
    }
    const rows = variants.map(({ name }, index) => {
      const columns = (['sinceRun', 'sinceStart'] as const).flatMap(since => {
        const [own = [], base = []] = [boots[index], boots[1]].map(taken => taken?.map(boot => boot[since]))
        return [describeMedian(own), index === 1 ? '1' : describeMedian(ratios(own, base), 2)]
      })
      return [name, ...columns]
    })
    return markdownTable(
      ['', 'ms since `docker run`', 'ratio (target ≤ 1.10)', 'ms since its first process', 'ratio'],
      rows,
    )
  },
}

async function buildImages({ workspace, say }: Bench): Promise<void> {
  say('container: building the image')
  await buildBaseImage()
  const context = mkdtempSync(join(workspace.dir, 'image-'))
  cpSync(join(home, 'bench/app'), join(context, 'app'), { recursive: true })
  cpSync(dirname(workspace.key), join(context, 'tls'), { recursive: true })
  cpSync(join(home, 'bench/peers/serve.sh'), join(context, 'serve.sh'))
  const conf = fillNginxConf({
    dir: '/tmp',
    accessLog: '/dev/stdout',
    address: '0.0.0.0',
    httpPort: 80,
    httpsPort: 443,
    appPorts: [3001, 3002],
    certificate: '/certs/fullchain.pem',
    key: '/certs/privkey.pem',
    image: '/tmp/app/public',
  })
  writeFileSync(join(context, 'nginx.conf'), conf)
  const dockerfile = join(home, 'bench/peers/Dockerfile')
  await docker(['build', '--quiet', '--network', 'host', '--tag', derived, '--file', dockerfile, context])
  rmSync(context, { recursive: true })
}

async function timeBoot({ name, args, command }: Variant, port: number): Promise<Boot> {
  const env = ['--env', `MONOHULL_WORKERS=${workers}`, '--env', `MONOHULL_NGINX_WORKER_PROCESSES=${nginxProcesses}`]
  const startedAt = Date.now()
  const options = ['--detach', '--label', label, '--publish', `127.0.0.1:${port}:443`]
  const id = await docker(['run', ...options, ...env, ...args, derived, ...command])
  try {
    // not earlier: a packet to a container without a network is only sent again a second later
    const url = `https://127.0.0.1:${port}/`
    while ((await getStatus(url)) !== 200) {
      if (Date.now() - startedAt > deadlineMs) {
        const { stdout, stderr } = await run('docker', ['logs', id])
        throw new Error(`${name} does not serve ${url}: ${stdout}${stderr}`)
      }
      await pause(pollMs)
    }
    const servedAt = Date.now()
    const processStartedAt = Date.parse(await docker(['inspect', '--format', '{{.State.StartedAt}}', id]))
    return { sinceRun: servedAt - startedAt, sinceStart: servedAt - processStartedAt }
  } finally {
    await docker(['rm', '--force', '--volumes', id])
  }
}
