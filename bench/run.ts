import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import type { Bench, Measure } from './bench.ts'
import { allFaults } from './faults/faults.ts'
import { allKills } from './killer.ts'
import { boot } from './measures/boot.ts'
import { certificates } from './measures/certificates.ts'
import { cluster } from './measures/cluster.ts'
import { container } from './measures/container.ts'
import { deploy } from './measures/deploy.ts'
import { fairness } from './measures/fairness.ts'
import { faults } from './measures/faults.ts'
import { front } from './measures/front.ts'
import { growth } from './measures/growth.ts'
import { grpc } from './measures/grpc.ts'
import { handshakes } from './measures/handshakes.ts'
import { kills } from './measures/kills.ts'
import { limits } from './measures/limits.ts'
import { logs } from './measures/logs.ts'
import { memory } from './measures/memory.ts'
import { metrics } from './measures/metrics.ts'
import { pages } from './measures/pages.ts'
import { php } from './measures/php.ts'
import { reloads } from './measures/reloads.ts'
import { rest } from './measures/rest.ts'
import { routes } from './measures/routes.ts'
import { scan } from './measures/scan.ts'
import { scrape } from './measures/scrape.ts'
import { sleep } from './measures/sleep.ts'
import { telemetry } from './measures/telemetry.ts'
import { throughput } from './measures/throughput.ts'
import { messageOf } from './message.ts'
import { kill, processesUsing } from './processes.ts'
import { caddyStack } from './stacks/caddy.ts'
import { clusterStack } from './stacks/cluster.ts'
import { gunicornStack } from './stacks/gunicorn.ts'
import { monohullStack } from './stacks/monohull.ts'
import { pm2Stack } from './stacks/pm2.ts'
import { s6Stack } from './stacks/s6.ts'
import { scriptStack } from './stacks/script.ts'
import type { Stack } from './stacks/stack.ts'
import { supervisordStack } from './stacks/supervisord.ts'
import { wattStack } from './stacks/watt.ts'
import { createWorkspace, home, type Workspace } from './workspace.ts'

const measures: readonly Measure[] = [
  container,
  deploy,
  boot,
  memory,
  rest,
  pages,
  logs,
  throughput,
  metrics,
  telemetry,
  scrape,
  sleep,
  front,
  grpc,
  handshakes,
  certificates,
  fairness,
  limits,
  reloads,
  growth,
  php,
  routes,
  scan,
  cluster,
  kills,
  faults,
]

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    requests: { type: 'string' },
    swaps: { type: 'string', default: '100' },
    restarts: { type: 'string', default: '1000' },
    replicas: { type: 'string', default: '1000' },
    wide: { type: 'string', default: '64' },
    rest: { type: 'string', default: '30' },
    'no-peers': { type: 'boolean', default: false },
    against: { type: 'string' },
    fault: { type: 'string', multiple: true },
    kill: { type: 'string', multiple: true },
    features: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
  },
})
const names = (all: readonly { name: string }[]) => all.map(({ name }) => name)
expectKnown(positionals, names(measures))
expectKnown(values.fault ?? [], names(allFaults))
expectKnown(values.kill ?? [], allKills)

const wanted = measures.filter(({ name }) => positionals.length === 0 || positionals.includes(name))
if (values.list) {
  process.stdout.write(wanted.map(({ name }) => `${name}\n`).join(''))
  process.exit(0)
}

const say = (text: string) => process.stderr.write(`${text}\n`)
const workspace = createWorkspace()
process.once('exit', () => {
  // processes left by an error or Ctrl-C
  for (const pid of processesUsing(workspace.dir)) kill(pid, 'SIGKILL')
  workspace.image.unmount()
  if (values.keep) say(`kept: ${workspace.dir}`)
  else workspace.remove()
})
process.once('SIGINT', () => process.exit(130))
process.once('SIGTERM', () => process.exit(143))

/** Another checkout of Monohull in place of every other stack. */
const other = values.against === undefined ? undefined : buildIn(resolve(values.against), 'monohull in --against')
const needsPeers = (of: readonly Measure[]) =>
  !values['no-peers'] && !other && wanted.some(measure => of.includes(measure))
// both builds run from their checkouts: a compile cache that was filled in another way costs megabytes
const monohull = other ? buildIn(home, 'monohull') : monohullStack(workspace)
const peersFor = (of: readonly Measure[], all: readonly ((workspace: Workspace) => Stack)[]) =>
  needsPeers(of) ? findPeers(workspace, all) : []
const bench: Omit<Bench, 'seconds' | 'rounds' | 'amount'> = {
  workspace,
  monohull,
  script: other ?? scriptStack(workspace, values.features),
  builds: other ? [monohull, other] : [monohull],
  peers: other ? [other] : peersFor([boot, memory, rest, kills], [pm2Stack, supervisordStack, s6Stack]),
  appPeers: peersFor([boot, memory, rest], [clusterStack, gunicornStack, wattStack]),
  rollingPeers: other ? [other] : peersFor([faults], [pm2Stack, clusterStack, gunicornStack]),
  fronts: peersFor([front, reloads], [caddyStack]),
  kills: allKills.filter(name => values.kill?.includes(name) ?? true),
  faults: allFaults.filter(({ name }) => values.fault?.includes(name) ?? true),
  limits: { wide: Number(values.wide), restSeconds: Number(values.rest) },
  swaps: Number(values.swaps),
  replicas: Number(values.replicas),
  say,
}
process.stdout.write(`${describeMachine()}\n`)
for (const measure of wanted) {
  const seconds = Number(values.seconds ?? (measure === kills || measure === faults ? 10 : 5))
  // repeating a fault takes long and does not make the result more exact
  const requests = Number(values.requests ?? (measure === reloads ? 100_000 : 30_000))
  const amount = { requests, restarts: Number(values.restarts), seconds }
  const rounds = Number(values.rounds ?? (measure === faults || measure === growth ? 1 : 5))
  const result = await measure.run({ ...bench, seconds, rounds, amount })
  process.stdout.write(`\n### ${measure.title}\n\n${result}\n`)
}

function findPeers(of: Workspace, all: readonly ((workspace: Workspace) => Stack)[]): Stack[] {
  return all.flatMap(create => {
    try {
      return [create(of)]
    } catch (error) {
      say(`left out, not available here: ${messageOf(error)}`)
      return []
    }
  })
}

function buildIn(home: string, name: string): Stack {
  if (existsSync(join(home, 'dist/launcher.cjs'))) return monohullStack(workspace, name, home)
  process.stderr.write(`no build in ${home}: run ./start.sh version there\n`)
  process.exit(64)
}

function expectKnown(given: readonly string[], known: readonly string[]): void {
  const unknown = given.filter(name => !known.includes(name))
  if (unknown.length === 0) return
  process.stderr.write(`unknown: ${unknown.join(' ')}; choose from ${known.join(', ')}\n`)
  process.exit(64)
}

function describeMachine(): string {
  const nginx = /nginx\/\S+/.exec(spawnSync('nginx', ['-v'], { encoding: 'utf8' }).stderr)?.[0]
  const versions = `Node ${process.versions.node}, ${nginx}`
  return `${availableParallelism()} cores, ${versions}. Medians of interleaved rounds, with minimum and maximum.`
}
