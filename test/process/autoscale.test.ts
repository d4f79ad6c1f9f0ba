// needs: gunicorn
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { getText } from '../../supervisor/base/adapters/unix-http.ts'
import { askAdmin } from '../../supervisor/run/adapters/admin-client.ts'
import type { Status } from '../../supervisor/run/status.ts'
import { readBusySeconds } from '../../supervisor/workers/autoscaling/busy-counter.ts'
import { defer, fixture, type Monohull, startMonohull, until } from './monohull.ts'

const patience = { deadlineMs: 100_000 }
/** Scaling down alone takes half a minute of little load. */
const timeout = 300_000
const scaled = (min: number, max: number, rest = '') => ({
  'monohull.yaml': `https: off\naccess_log: false\napp: { workers: { min: ${min}, max: ${max} }${rest} }\n`,
})
/** The file decides. */
const env = { MONOHULL_WORKERS: undefined }

const admin = (monohull: Monohull, method: 'GET' | 'POST', path: string) =>
  askAdmin(join(monohull.folder, 'run/admin.sock'), { method, path })
const statusOf = async (monohull: Monohull) => (await admin(monohull, 'GET', '/status')).body as Status

/** Waits for as many workers in nginx. */
const workersAre = (monohull: Monohull, count: number) =>
  until(
    `${count} workers`,
    async () => {
      const { workers } = await statusOf(monohull)
      return workers.length === count && workers.every(({ isInRotation }) => isInRotation)
    },
    { ...patience, details: () => monohull.output().slice(-3000) },
  )

interface Load {
  /** Waits between two requests of a client. */
  pauseMs: number
  statuses: Map<number, number>
  end(): Promise<void>
}

/** Clients, each with one request after the other, GET and POST in turn. */
function startLoad(t: TestContext, monohull: Monohull, clients: number, path: string): Load {
  let isEnding = false
  const load: Load = { pauseMs: 0, statuses: new Map(), end }
  const run = async () => {
    for (let count = 0; !isEnding; count++) {
      const method = count % 2 ? 'POST' : 'GET'
      const { status } = await monohull.request({ path, method, ...(count % 2 ? { body: 'x' } : {}) })
      load.statuses.set(status, (load.statuses.get(status) ?? 0) + 1)
      await new Promise(resolve => setTimeout(resolve, load.pauseMs))
    }
  }
  const running = Promise.all(Array.from({ length: clients }, run))
  async function end(): Promise<void> {
    isEnding = true
    await running
  }
  defer(t, end)
  return load
}

describe('workers: {min, max}', { concurrency: 3 }, () => {
  it('scales a Node app by how busy its event loops are, up and down, and no request fails', { timeout }, async t => {
    const monohull = startMonohull(t, { args: ['run', 'node', fixture('busy.cjs')], files: scaled(1, 2), env })
    await monohull.serving()
    assert.deepEqual((await statusOf(monohull)).scaled, [{ app: 'app', workers: 1, min: 1, max: 2 }])
    const load = startLoad(t, monohull, 4, '/burn?ms=10')
    await workersAre(monohull, 2)
    for (const [path, reason] of [
      ['/scale/3', /scales by load from 1 to 2 workers/],
      ['/scale/0', /from 1 to 1024/],
    ] as const) {
      const { status, body } = await admin(monohull, 'POST', path)
      assert.ok(status >= 400)
      assert.match(JSON.stringify(body), reason)
    }
    // a reload keeps what the load asked for
    monohull.signal('SIGHUP')
    await monohull.seen(/reload finished/)
    assert.equal((await statusOf(monohull)).workers.length, 2)
    load.pauseMs = 500
    await workersAre(monohull, 1)
    await load.end()
    assert.deepEqual([...load.statuses.keys()], [200], JSON.stringify([...load.statuses]))
    await monohull.seen(/command received command=scale from=autoscaling[\s\S]*scaled to 1 worker/)
  })

  it('scales any other app by the time that its answers take, which nginx counts', { timeout }, async t => {
    const command = ['run', 'gunicorn', '--chdir', fixture(''), '--bind', 'fd://3', 'busy_wsgi:application']
    const monohull = startMonohull(t, { args: command, files: scaled(1, 3, ', keepalive: 0'), env })
    await monohull.serving()
    // its socket outlives a master that is killed
    const master = monohull.nginx()
    process.kill(master, 'SIGKILL')
    await until('the next master', () => monohull.nginx() !== master)
    await monohull.seen(/nginx is back/)
    const load = startLoad(t, monohull, 4, '/?ms=20')
    await workersAre(monohull, 3)
    await load.end()
    assert.deepEqual([...load.statuses.keys()], [200], JSON.stringify([...load.statuses]))
  })

  it('counts a request that outlasts reloads, in an nginx worker that ran no Lua before', { timeout }, async t => {
    const command = ['run', 'gunicorn', '--chdir', fixture(''), '--bind', 'fd://3', 'busy_wsgi:application']
    const configuration = (value: number) =>
      scaled(1, 2)['monohull.yaml'].concat(`nginx: { worker_processes: 1 }\nheaders: { X-Reload: "${value}" }\n`)
    const monohull = startMonohull(t, { args: command, files: { 'monohull.yaml': configuration(0) }, env })
    await monohull.serving()
    const request = monohull.request({ path: '/?ms=5000' })
    for (const value of [1, 2, 3]) {
      writeFileSync(join(monohull.folder, 'monohull.yaml'), configuration(value))
      monohull.signal('SIGHUP')
      await until('the reload', () => monohull.output().split('reload finished').length > value)
    }
    assert.equal((await request).status, 200)
    const counters = async () => (await getText(join(monohull.folder, 'run/busy.sock'), '/')) ?? ''
    await until('the count', async () => readBusySeconds(await counters(), 'app') >= 5, {
      details: () => monohull.output(),
    })
  })

  it('asks nothing of the workers of a fixed pool, and can be turned on by a reload', { timeout }, async t => {
    const files = { 'monohull.yaml': 'https: off\napp: { workers: 1 }\n' }
    const monohull = startMonohull(t, { args: ['run', 'node', fixture('busy.cjs')], files, env })
    await monohull.serving()
    assert.equal((await monohull.request({ path: '/burn?ms=0' })).body, 'done')
    writeFileSync(
      join(monohull.folder, 'monohull.yaml'),
      scaled(1, 2)['monohull.yaml'].replace('access_log: false\n', ''),
    )
    monohull.signal('SIGHUP')
    await monohull.seen(/reload finished/)
    assert.equal((await monohull.request({ path: '/burn?ms=0' })).body, 'done', 'nor of what the app starts')
    startLoad(t, monohull, 4, '/burn?ms=10')
    await workersAre(monohull, 2)
  })
})
