import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { requestSocket } from '../../supervisor/base/adapters/unix-http.ts'
import type { RequestCounts } from '../../supervisor/front/requests/request-counts.ts'
import type { Status } from '../../supervisor/run/status.ts'
import { freePorts } from './free-ports.ts'
import { ask, fixture, type Monohull, startMonohull, until } from './monohull.ts'

const config = `https: off
app: { command: [node, ${fixture('hello.cjs')}], workers: 2 }
upstreams:
  gone: { servers: ["127.0.0.1:9"] }
max_body_size: 1k
routes:
  - { path: /, app: app }
  - { path: /gone, upstream: gone }
  - { path: /ok, response: { body: ok } }
  - { path: /internal/metrics, internal: metrics, allow: [127.0.0.1] }
  - { path: /secret/metrics, internal: metrics, allow: [192.0.2.1] }
`

async function get(monohull: Monohull, path: string): Promise<string> {
  const { body } = await requestSocket(join(monohull.folder, 'run/admin.sock'), {
    method: 'GET',
    path,
    timeoutMs: 5000,
  })
  return body
}

async function counts(monohull: Monohull): Promise<RequestCounts> {
  return JSON.parse(await get(monohull, '/requests'))
}

it('the requests', async t => {
  const [port = 0] = await freePorts(1)
  const monohull = startMonohull(t, { files: { 'monohull.yaml': `${config}metrics: { port: ${port} }\n` } })
  await monohull.serving()

  await t.test('are counted by route, method and status, but not the health checks', async () => {
    for (const path of ['/?secret=1', '/a', '/ok', '/gone/x', '/healthz']) await monohull.request({ path })
    await monohull.request({ path: '/', method: 'BREW' })
    await monohull.request({ path: '/', method: 'POST', body: 'x'.repeat(2000) })
    const found = await until('the counts', async () => {
      const now = await counts(monohull)
      return now.series.reduce((sum, { count }) => sum + count, 0) >= 6 ? now : undefined
    })
    const lines = found.series.map(({ app, upstream, route, method, status, count }) =>
      [app ?? upstream ?? '-', route, method, status, count].join(' '),
    )
    assert.deepEqual(lines.sort(), [
      '-  POST 413 1',
      '- /ok GET 200 1',
      'app / GET 200 2',
      'app / _OTHER 400 1',
      'gone /gone GET 502 1',
    ])
    assert.deepEqual(found.rejected, [{ reason: 'body_size', count: 1 }])
  })

  await t.test('are in flight in their worker, with the path of the oldest, until they end', async () => {
    const slow = monohull.request({ path: '/slow?ms=3000&secret=1', method: 'PUT' })
    const busy = await until('the request', async () => (await counts(monohull)).workers.find(({ oldest }) => oldest))
    assert.deepEqual([busy.inFlight, busy.oldest?.method, busy.oldest?.path], [1, 'PUT', '/slow'])
    assert.ok((busy.oldest?.ageMs ?? -1) >= 0 && (busy.oldest?.ageMs ?? 0) < 60_000)
    await slow
    const idle = await until('the end', async () => {
      const now = await counts(monohull)
      return now.active.length === 0 ? now : undefined
    })
    const worker = idle.workers.find(one => one.worker === busy.worker)
    assert.equal(worker?.inFlight, 0)
    const busySeconds = async () =>
      (await counts(monohull)).workers.find(one => one.worker === busy.worker)?.busySeconds
    await until('its time', async () => Number(await busySeconds()) >= 2.9 || undefined)
  })
  await t.test('wait in the socket of a worker that is stopped, and the status shows what it uses', async () => {
    const pids = [monohull.worker(1), monohull.worker(2)]
    for (const pid of pids) process.kill(pid, 'SIGSTOP')
    const waiting = Array.from({ length: 4 }, () => monohull.request())
    const worker = await until('the queue', async () => {
      const { workers }: Status = JSON.parse(await get(monohull, '/status'))
      // other nginx workers show their requests a moment later
      return workers.find(({ usage, requests }) => (usage?.queue ?? 0) > 0 && (requests?.inFlight ?? 0) > 0)
    })
    for (const pid of pids) process.kill(pid, 'SIGCONT')
    await Promise.all(waiting)
    assert.ok((worker.usage?.rss ?? 0) > 1e6 && (worker.usage?.descriptors ?? 0) > 3)
    assert.equal(typeof worker.usage?.loopUse, 'number')
    const { workers, container }: Status = JSON.parse(await get(monohull, '/status'))
    assert.deepEqual(
      workers.map(({ usage }) => usage?.queue),
      [0, 0],
    )
    assert.ok(container?.disks.some(({ name }) => name === 'run_dir'))
  })
  await t.test('are metrics on a port, and on a route for those who may read them', async () => {
    const onPort = await ask(port, { path: '/metrics' })
    const onRoute = await monohull.request({ path: '/internal/metrics' })
    for (const { status, headers, body } of [onPort, onRoute]) {
      assert.equal(status, 200)
      assert.match(headers['content-type'] ?? '', /^text\/plain; version=0\.0\.4/)
      const labels =
        'app="app",http_route="/",http_request_method="GET",http_response_status_code="200",url_scheme="http"'
      assert.match(body, new RegExp(`^http_server_request_duration_seconds_count{${labels}} \\d+$`, 'm'))
      assert.match(body, /^nginx_up 1$/m)
      assert.match(body, /^monohull_worker_queue_length\{app="app",worker="app\.1"\} 0$/m)
    }
    const open = await ask(port, {
      path: '/metrics',
      headers: { accept: 'application/openmetrics-text;version=1.0.0' },
    })
    assert.match(open.headers['content-type'] ?? '', /^application\/openmetrics-text/)
    assert.match(open.body, /\n# EOF\n$/)
    const statuses = await Promise.all([
      ask(port, { path: '/' }),
      ask(port, { path: '/metrics', method: 'POST' }),
      monohull.request({ path: '/secret/metrics' }),
      monohull.request({ path: '/internal/metrics/more' }),
    ])
    assert.deepEqual(
      statuses.map(({ status }) => status),
      [404, 405, 403, 404],
    )
  })

  await t.test('have a port that a reload moves, or that is taken', async () => {
    const [next = 0] = await freePorts(1)
    const file = join(monohull.folder, 'monohull.yaml')
    const reloadTo = async (metrics: string) => {
      const from = monohull.output().length
      writeFileSync(file, `${config}metrics: { ${metrics} }\n`)
      monohull.signal('SIGHUP')
      return monohull.seen(/reload (finished|abandoned.*)/, from)
    }
    await reloadTo(`port: ${next}`)
    assert.equal((await ask(next, { path: '/metrics' })).status, 200)
    await assert.rejects(ask(port, { path: '/metrics' }), /ECONNREFUSED/)
    const taken = monohull.instance().httpPort
    const [text] = await reloadTo(`port: ${taken}`)
    assert.match(text, /another program listens there/)
    assert.equal((await ask(next, { path: '/metrics' })).status, 200)
  })
})
