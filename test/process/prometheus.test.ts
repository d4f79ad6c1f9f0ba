// needs: prometheus
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { it, type TestContext } from 'node:test'
import { freePorts } from './free-ports.ts'
import { ask, defer, fixture, type Monohull, startMonohull, temporaryFolder, until } from './monohull.ts'

const deploy = join(import.meta.dirname, '../../deploy')
const hasPrometheus = ['prometheus', 'promtool'].every(program => !spawnSync(program, ['--version']).error)
const skip = !hasPrometheus && !process.env.CI && 'needs prometheus'

function promtool(words: string[], input = ''): void {
  const { status, stdout, stderr } = spawnSync('promtool', words, { input, encoding: 'utf8' })
  assert.equal(status, 0, `promtool ${words.join(' ')}:\n${stdout}${stderr}`)
}

const config = (port: number) => `https: on
app: { command: [node, ${fixture('hello.cjs')}], workers: 2, min_uptime: 0s }
processes: { clock: { command: [node, -e, "setInterval(() => {}, 1e6)"] } }
max_body_size: 1k
cache: { ttl: 1m }
metrics: { port: ${port} }
`

/** Prometheus that scrapes a port once a second; settles with its own port. */
async function startPrometheus(t: TestContext, target: number): Promise<number> {
  const [port = 0] = await freePorts(1)
  const folder = temporaryFolder(t, {
    'prometheus.yml': [
      'global: { scrape_interval: 1s, scrape_timeout: 1s }',
      `rule_files: [${join(deploy, 'prometheus/rules.yml')}]`,
      'scrape_configs:',
      `  - { job_name: monohull, static_configs: [{ targets: ["127.0.0.1:${target}"] }] }`,
    ].join('\n'),
  })
  const words = [`--config.file=${folder}/prometheus.yml`, `--storage.tsdb.path=${folder}/data`]
  const child = spawn('prometheus', [...words, `--web.listen-address=127.0.0.1:${port}`], { stdio: 'ignore' })
  defer(t, async () => {
    child.kill('SIGKILL')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  })
  return port
}

async function query(port: number, text: string): Promise<unknown[]> {
  const { body } = await ask(port, { path: `/api/v1/query?query=${encodeURIComponent(text)}` })
  return JSON.parse(body).data?.result ?? []
}

/** Everything that the dashboard shows: requests, a rejection, a crash, a roll and a reload. */
async function cause(monohull: Monohull): Promise<void> {
  const crashed = monohull.worker(1)
  process.kill(crashed, 'SIGKILL')
  await monohull.workerAfter(1, crashed)
  await monohull.request({ method: 'POST', body: 'x'.repeat(2000) })
  const from = monohull.output().length
  monohull.signal('SIGHUP')
  await monohull.seen(/reload finished/, from)
}

/** Queries of the dashboard with the variables as Grafana sets them. */
function dashboardQueries(): string[] {
  const { panels } = JSON.parse(readFileSync(join(deploy, 'grafana/dashboard.json'), 'utf8'))
  const texts: string[] = panels.flatMap(({ targets = [] }) => targets.map(({ expr }: { expr: string }) => expr))
  return texts.map(text => text.replaceAll(/\$(job|instance|app)\b/g, '.*').replaceAll('$__rate_interval', '10s'))
}

it('the rules are valid and fire', { skip }, () => {
  promtool(['check', 'rules', join(deploy, 'prometheus/rules.yml')])
  promtool(['test', 'rules', join(deploy, 'prometheus/rules.test.yml')])
})

it('Prometheus has data for every query of the dashboard', { skip }, async t => {
  const [target = 0] = await freePorts(1)
  const monohull = startMonohull(t, { files: { 'monohull.yaml': config(target) } })
  const port = await startPrometheus(t, target)
  await monohull.serving()
  const { body } = await ask(target, { path: '/metrics' })
  // two names of nginx-prometheus-exporter are not as they should be
  promtool(['check', 'metrics'], body.replaceAll(/^.*nginx_connections_(accepted|handled)\b.*\n/gm, ''))
  const isShown = (name: string) => new RegExp(`^${name}[{ ]`, 'm').test(body)
  const caused = cause(monohull)
  let isDone = false
  const load = (async () => {
    while (!isDone) await monohull.request({ path: `/?${Date.now()}` })
  })()
  try {
    await caused
    // outside of a cgroup, the kernel does not report some of these
    const cgroup = /monohull_container_\w+/
    const queries = dashboardQueries().filter(text => isShown(cgroup.exec(text)?.[0] ?? 'nginx_up'))
    assert.ok(queries.length > 30, `${queries.length} queries`)
    let empty = queries
    await until(
      'data for every query',
      async () => {
        const results = await Promise.all(empty.map(text => query(port, text).catch(() => [])))
        empty = empty.filter((_, index) => results[index]?.length === 0)
        return empty.length === 0 || undefined
      },
      { details: () => `no data: ${empty.join('\n')}` },
    )
    const { body: rules } = await ask(port, { path: '/api/v1/rules' })
    const found: { health: string; name: string; lastError?: string }[] = JSON.parse(rules).data.groups[0].rules
    assert.deepEqual(
      found.filter(({ lastError }) => lastError),
      [],
    )
  } finally {
    isDone = true
    await load
  }
})
