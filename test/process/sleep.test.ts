// needs: gunicorn uwsgi uwsgi-plugin-python3
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'
import { WebSocket } from 'ws'
import { getText } from '../../supervisor/base/adapters/unix-http.ts'
import { askAdmin } from '../../supervisor/run/adapters/admin-client.ts'
import type { Status } from '../../supervisor/run/status.ts'
import { healthcheck } from './built.ts'
import { setRoute } from './dynamic-monohull.ts'
import { connect } from './grpc-client.ts'
import { fixture, type Monohull, startMonohull, until } from './monohull.ts'

const timeout = 60_000
/** The shortest possible one. */
const idle = 'workers: { min: 0, max: 2, idle: 5s }'
/** The file decides. */
const env = { MONOHULL_WORKERS: undefined, NODE_PATH: new URL('../../node_modules', import.meta.url).pathname }

const admin = (monohull: Monohull, method: 'GET' | 'POST', path: string) =>
  askAdmin(join(monohull.folder, 'run/admin.sock'), { method, path })
const statusOf = async (monohull: Monohull) => (await admin(monohull, 'GET', '/status')).body as Status
const statesOf = async (monohull: Monohull) =>
  Object.fromEntries((await statusOf(monohull)).workers.map(({ name, state }) => [name, state]))
const tell = async (monohull: Monohull, path: string) => {
  const { status, body } = await admin(monohull, 'POST', path)
  assert.equal(status, 200, JSON.stringify(body))
}

async function asleep(monohull: Monohull, app = 'app'): Promise<void> {
  const details = () => monohull.output().slice(-3000)
  await until(`${app} to sleep`, async () => (await statesOf(monohull))[`${app}.1`] === 'asleep', { details })
}

describe('workers: {min: 0}', { concurrency: 4 }, () => {
  it('ends an idle app until a request comes, whichever route leads to it; probes do not wake it', {
    timeout,
  }, async t => {
    const apps = ['app', 'api']
      .map(
        name => `  ${name}: { command: [node, ${fixture(name === 'app' ? 'hello.cjs' : 'streams.cjs')}], ${idle} }\n`,
      )
      .join('')
    const files = {
      'monohull.yaml': `https: off\ndynamic_routes: { store: file }\nroutes: [{ app: app }, { path: /api, app: api, strip_prefix: true }]\napps:\n${apps}`,
    }
    const monohull = startMonohull(t, { args: ['run'], files, env })
    const { httpPort } = await monohull.serving()
    await setRoute(monohull, 'api', 'api.example.com')
    await Promise.all([asleep(monohull), asleep(monohull, 'api')])
    const ready = await monohull.request({ path: '/readyz' })
    assert.deepEqual(
      [ready.status, JSON.parse(ready.body)],
      [200, { status: 'ready', workers: { ready: 0, total: 2, asleep: 2 } }],
    )
    assert.equal((await monohull.request({ path: '/healthz' })).status, 200)
    const probed = { env: { MONOHULL_RUN_DIR: join(monohull.folder, 'run') } }
    await promisify(execFile)(process.execPath, [healthcheck], probed)
    const metrics = await getText(join(monohull.folder, 'run/admin.sock'), '/metrics')
    assert.match(metrics ?? '', /monohull_workers\{app="api",state="asleep"\} 1/)
    await tell(monohull, '/maintenance/on')
    assert.equal((await monohull.request()).status, 503)
    await tell(monohull, '/maintenance/off')
    assert.deepEqual(await statesOf(monohull), { 'app.1': 'asleep', 'api.1': 'asleep' })

    // a client that has gone when the worker boots; under systemd it left the service failed (systemd/systemd#7172)
    const impatient = net.connect(httpPort ?? 0, '127.0.0.1').on('error', () => {})
    impatient.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    await monohull.seen(/waking: a request waits worker=app\.1/)
    impatient.destroy()

    // the dynamic route, and an upgrade as the first request
    const socket = new WebSocket(`ws://127.0.0.1:${httpPort}/`, { headers: { host: 'api.example.com' } })
    t.after(() => socket.terminate())
    await once(socket, 'open')
    assert.equal((await statesOf(monohull))['api.1'], 'serving')
    const responses = await Promise.all(
      Array.from({ length: 30 }, (_, index) =>
        monohull.request({ method: index % 2 ? 'POST' : 'GET', body: 'a body' }),
      ),
    )
    assert.deepEqual(new Set(responses.map(({ status, body }) => `${status} ${JSON.parse(body).pid}`)).size, 1)
    assert.deepEqual(
      (await statusOf(monohull)).workers.map(({ restarts, crashes, replacements }) => [
        restarts,
        crashes,
        replacements,
      ]),
      [
        [0, 0, 0],
        [0, 0, 0],
      ],
    )
    // the WebSocket is used all the time, the other app is not
    const wokenAt = monohull.output().length
    await asleep(monohull)
    await monohull.seen(/worker stopped worker=app\.1/, wokenAt)
    socket.send('still there?')
    const [message] = await once(socket, 'message')
    assert.match(String(message), /^\d+ still there\?$/)

    // a reload tries the new worker
    monohull.signal('SIGHUP')
    await monohull.seen(/reload finished/)
    assert.equal((await statesOf(monohull))['app.1'], 'serving')
  })

  it('responds with 503 and Retry-After if the app does not boot, and recovers by itself', { timeout }, async t => {
    const command = `sh -c 'if [ -e broken ]; then sleep 0.3; exit 4; fi; exec node ${fixture('hello.cjs')}'`
    const files = {
      'monohull.yaml': `https: off\napp:\n  command: ["sh", "-c", ${JSON.stringify(command)}]\n  ${idle}\n`,
    }
    const monohull = startMonohull(t, { args: ['run'], files, env })
    await monohull.serving()
    writeFileSync(join(monohull.folder, 'broken'), '')
    await asleep(monohull)
    const waiting = await Promise.all(
      ['GET', 'POST', 'GET'].map(method => monohull.request({ method, body: method === 'POST' ? 'x' : '' })),
    )
    for (const { status, headers } of waiting) assert.deepEqual([status, headers['retry-after']], [503, '5'])
    assert.equal((await monohull.request()).status, 503)
    assert.equal((await monohull.request({ path: '/readyz' })).status, 503)
    rmSync(join(monohull.folder, 'broken'))
    await until('the app to be back', async () => (await monohull.request()).status === 200)
  })

  it('serves what waits while it wakes during a pause and a stop', { timeout }, async t => {
    const command = `exec sh -c 'sleep 0.5; exec node ${fixture('hello.cjs')}'`
    const files = {
      'monohull.yaml': `https: off\napp:\n  command: ["sh", "-c", ${JSON.stringify(command)}]\n  ${idle}\n`,
    }
    const monohull = startMonohull(t, { args: ['run'], files, env })
    await monohull.serving()
    await asleep(monohull)
    await tell(monohull, '/pause?for=30s')
    const paused = monohull.request({ method: 'POST', body: 'x' })
    assert.equal((await monohull.request({ path: '/readyz' })).status, 200)
    assert.equal((await statesOf(monohull))['app.1'], 'asleep')
    await tell(monohull, '/resume')
    assert.equal((await paused).status, 200)
    await asleep(monohull)
    const last = monohull.request({ method: 'POST', body: 'x' })
    await monohull.seen(/waking[\s\S]*waking/)
    monohull.signal('SIGTERM')
    assert.equal((await last).status, 200)
    assert.equal(await monohull.exited, 0)
  })

  it('lets gRPC and uWSGI sleep; a stream keeps its app awake', { timeout }, async t => {
    const uwsgi = `uwsgi --plugin python3 --socket fd://3 --wsgi-file ${fixture('uwsgi_app.py')} --master --need-app --hook-master-start 'unix_signal:15 gracefully_kill_them_all'`
    const files = {
      'monohull.yaml': `https: on
apps:
  echo: { command: [node, ${fixture('grpc.cjs')}], protocol: grpc, ${idle} }
  web: { command: ${JSON.stringify(uwsgi)}, protocol: uwsgi, ${idle} }
routes: [{ app: web }, { path: /test.Echo, app: echo }]
`,
    }
    const monohull = startMonohull(t, { args: ['run'], files, env: { ...env, MONOHULL_DIRECTORY: undefined } })
    await monohull.serving()
    await Promise.all([asleep(monohull, 'echo'), asleep(monohull, 'web')])
    const client = connect(t, monohull)
    const [call, page] = await Promise.all([client.unary('/test.Echo/Say', 'awake'), monohull.request()])
    assert.deepEqual([call.code, call.text?.replace(/^\d+ /, ''), page.status], [0, 'awake', 200])
    const chat = client.chat()
    chat.write('first')
    await once(chat, 'data')
    await asleep(monohull, 'web')
    assert.equal((await statesOf(monohull))['echo.1'], 'serving')
    chat.write('last')
    assert.match(String((await once(chat, 'data'))[0]), /last$/)
    chat.end()
    await asleep(monohull, 'echo')
    assert.equal((await client.unary('/test.Echo/Say')).code, 0)
  })

  it('lets any server sleep that takes its socket', { timeout }, async t => {
    const files = {
      'monohull.yaml': `https: off\napp: { command: [gunicorn, --chdir, ${fixture('')}, --bind, "fd://3", "busy_wsgi:application"], keepalive: 0, ${idle} }\n`,
    }
    const monohull = startMonohull(t, { args: ['run'], files, env })
    await monohull.serving()
    const before = monohull.worker(1)
    await asleep(monohull)
    assert.equal((await monohull.request({ path: '/?ms=0' })).status, 200)
    assert.notEqual(monohull.worker(1), before)
  })
})
