// needs: libnginx-mod-http-lua
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { it } from 'node:test'
import { requestSocket } from '../../supervisor/base/adapters/unix-http.ts'
import type { RequestCounts } from '../../supervisor/front/requests/request-counts.ts'
import type { Status } from '../../supervisor/run/status.ts'
import { fixture, type Monohull, startMonohull, until } from './monohull.ts'

const config = `https: off
app: { command: [node, ${fixture('hello.cjs')}], workers: 2 }
upstreams:
  gone: { servers: ["127.0.0.1:9"] }
max_body_size: 1k
routes:
  - { path: /, app: app }
  - { path: /gone, upstream: gone }
  - { path: /ok, response: { body: ok } }
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
  const monohull = startMonohull(t, { files: { 'monohull.yaml': config } })
  await monohull.serving()

  await t.test('are counted by route, method and status, but not the health checks', async () => {
    for (const path of ['/?secret=1', '/a', '/ok', '/gone/x', '/healthz']) await monohull.request({ path })
    await monohull.request({ path: '/', method: 'BREW' })
    await monohull.request({ path: '/', method: 'POST', body: 'x'.repeat(2000) })
    const found = await until('the counts', async () => {
      const now = await counts(monohull)
      return now.series.length >= 5 ? now : undefined
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
    const idle = await counts(monohull)
    assert.deepEqual(idle.active, [])
    const worker = idle.workers.find(one => one.worker === busy.worker)
    assert.equal(worker?.inFlight, 0)
    assert.ok((worker?.busySeconds ?? 0) >= 2.9)
  })
  await t.test('wait in the socket of a worker that is stopped, and the status shows what it uses', async () => {
    const pids = [monohull.worker(1), monohull.worker(2)]
    for (const pid of pids) process.kill(pid, 'SIGSTOP')
    const waiting = Array.from({ length: 4 }, () => monohull.request())
    const worker = await until('the queue', async () => {
      const { workers }: Status = JSON.parse(await get(monohull, '/status'))
      return workers.find(({ usage }) => (usage?.queue ?? 0) > 0)
    })
    for (const pid of pids) process.kill(pid, 'SIGCONT')
    await Promise.all(waiting)
    assert.ok((worker.usage?.rss ?? 0) > 1e6 && (worker.usage?.descriptors ?? 0) > 3)
    assert.ok((worker.requests?.inFlight ?? 0) > 0)
    assert.equal(typeof worker.usage?.loopUse, 'number')
    const { workers, container }: Status = JSON.parse(await get(monohull, '/status'))
    assert.deepEqual(
      workers.map(({ usage }) => usage?.queue),
      [0, 0],
    )
    assert.ok(container?.disks.some(({ name }) => name === 'run_dir'))
  })
})
