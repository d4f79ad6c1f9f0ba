import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { nginxProcesses } from '../../supervisor/nginx/adapters/processes.ts'
import { type Monohull, type RequestOptions, startMonohull, temporaryFolder, until } from './monohull.ts'

/** An app of one worker that does not come up while the file `broken` is there. */
const app = {
  args: ['run', 'sh', '-c', 'if [ -e broken ]; then exit 4; fi; exec node app.cjs'],
  files: {
    'app.cjs': `require('node:http').createServer((q, r) => { if (q.url === '/503') r.statusCode = 503; r.end('well') }).listen(3000)`,
    'pages/closed.html': '<!doctype html>\n<title>Grüße</title>Back at nine\n',
  },
  env: { MONOHULL_WORKERS: '1', MONOHULL_BACKOFF_INITIAL: '50ms', MONOHULL_BACKOFF_MAX: '200ms' },
}

/** Ends the worker for good, and settles when nginx has taken it out. */
async function breakApp(monohull: Monohull): Promise<void> {
  writeFileSync(join(monohull.folder, 'broken'), '')
  process.kill(monohull.worker(1), 'SIGKILL')
  await until('503', async () => (await monohull.request({ method: 'POST' })).status === 503)
}

describe('while no worker is left, visitors get', () => {
  it('the page of the user, whatever becomes of the file, with Retry-After; the app is back by itself', async t => {
    const monohull = startMonohull(t, { ...app, env: { ...app.env, MONOHULL_MAINTENANCE_PAGE: 'pages/closed.html' } })
    await monohull.serving()
    rmSync(join(monohull.folder, 'pages'), { recursive: true })
    const nginx = monohull.nginx()
    await breakApp(monohull)
    for (const method of ['GET', 'POST', 'DELETE']) {
      const { status, headers, body } = await monohull.request({ method, path: '/some/where?x=1' })
      assert.deepEqual(
        [status, headers['retry-after'], headers['content-type'], headers['cache-control'], body],
        [503, '5', 'text/html; charset=utf-8', 'no-store', app.files['pages/closed.html']],
      )
    }
    rmSync(join(monohull.folder, 'broken'))
    await until('the app to be back', async () => (await monohull.request()).body === 'well')
    assert.equal(monohull.nginx(), nginx)
  })

  it('what the cache has, fresh or not, and the page for the rest', async t => {
    const files = {
      'app.cjs': `require('node:http').createServer((q, r) => { r.setHeader('cache-control', 'max-age=' + q.url.split("/")[1]); r.end('well') }).listen(3000)`,
      'monohull.yaml':
        'cache: {}\nroutes: [{ app: app }, { path: /600/small, app: app, max_body_size: 1k }, { path: /600/own, app: app, cache: off }]\n',
    }
    const monohull = startMonohull(t, { ...app, files })
    await monohull.serving()
    const got = async (path: string, method = 'GET') => {
      const { status, headers, body } = await monohull.request({ path, method })
      return `${status} ${headers['x-cache']} ${body === 'well' ? body : headers['retry-after']}`
    }
    for (const path of ['/600', '/1', '/600/small']) assert.equal(await got(path), '200 MISS well')
    await breakApp(monohull)
    await until('the short one to run out', async () => (await got('/1')) === '200 STALE well')
    assert.equal(await got('/600'), '200 HIT well')
    assert.equal(await got('/600/small'), '200 HIT well')
    for (const path of ['/2', '/600/small/2']) assert.equal(await got(path), '503 MISS 5')
    assert.equal(await got('/600/own'), '503 undefined 5')
    assert.equal(await got('/600', 'POST'), '503 undefined 5')
    rmSync(join(monohull.folder, 'broken'))
    await until('the app to be back', async () => (await got('/3')).endsWith('well'))
  })

  it('JSON when they ask for it and not for HTML; the own 503 of the app is left alone', async t => {
    const monohull = startMonohull(t, app)
    await monohull.serving()
    const own = await monohull.request({ path: '/503' })
    assert.deepEqual([own.status, own.body], [503, 'well'])
    assert.equal((await monohull.request({ path: '/unavailable.html' })).body, 'well', "the app's own path")
    assert.equal((await monohull.request({ path: '/.monohull/unavailable.html' })).status, 404)
    await breakApp(monohull)
    for (const accept of ['application/json', 'application/json, text/plain, */*', 'application/problem+json']) {
      const { status, headers, body } = await monohull.request({ headers: { accept } })
      assert.deepEqual([status, headers['retry-after'], JSON.parse(body).error], [503, '5', 'unavailable'])
      assert.match(headers['content-type'] ?? '', /^application\/json/)
    }
    for (const accept of ['*/*', 'text/html,application/json;q=0.9', 'json']) {
      assert.match((await monohull.request({ headers: { accept } })).body, /Back in a moment/)
    }
  })

  it('a changed page after a reload; one that cannot be used abandons the reload', async t => {
    const files = { ...app.files, 'monohull.yaml': 'maintenance_page: pages/closed.html\n' }
    const monohull = startMonohull(t, { ...app, files })
    await monohull.serving()
    const page = join(monohull.folder, 'pages/closed.html')
    writeFileSync(page, 'Back at ten')
    monohull.signal('SIGHUP')
    await monohull.seen(/reload finished/)
    for (const [contents, problem] of [
      [Buffer.from([0xff, 0xfe, 0x41]), /maintenance_page: is not UTF-8/],
      [Buffer.alloc((1 << 20) + 1, 'x'), /maintenance_page: is larger than 1 MB/],
    ] as const) {
      writeFileSync(page, contents)
      const from = monohull.output().length
      monohull.signal('SIGHUP')
      await monohull.seen(problem, from)
    }
    await breakApp(monohull)
    assert.equal((await monohull.request()).body, 'Back at ten')
  })
})

/** Runs a command for an instance. */
async function tell(t: TestContext, { folder }: Monohull, ...words: string[]) {
  const env = { MONOHULL_RUN_DIR: join(folder, 'run') }
  const told = startMonohull(t, { folder: temporaryFolder(t), args: words, env })
  return { code: await told.exited, output: told.output() }
}

const token = 'a-token-of-the-tests'

const maintain = (t: TestContext, monohull: Monohull, ...words: string[]) => tell(t, monohull, 'maintenance', ...words)

describe('monohull maintenance', () => {
  it('closes the site without a reload, but for health checks and those who are let in; a restart keeps it', async t => {
    const files = {
      ...app.files,
      'monohull.yaml': `routes:
  - { app: app }
  - { path: /f, files: { root: pages } }
  - { path: /ops/v1.0, internal: status, allow: [127.0.0.1, 127.0.0.3] }
  - { path: /m, host: '*.example.com', internal: metrics, allow: [127.0.0.1] }
admin: { token: ${token}, actions: true }
`,
    }
    const env = { ...app.env, MONOHULL_HTTPS: 'off' }
    const monohull = startMonohull(t, { ...app, files, env })
    await monohull.serving()
    const workers = nginxProcesses.childrenOf(monohull.nginx())
    assert.deepEqual(await maintain(t, monohull), { code: 0, output: 'maintenance is off\n' })
    const words = ['on', '--allow', '127.0.0.2,10.0.0.0/8', '--allow', '::1', '--message', 'Back at <nine>']
    assert.equal((await maintain(t, monohull, ...words)).code, 0)
    const large = 'x'.repeat(20_000_000)
    for (const asked of [
      {},
      { path: '/f/closed.html' },
      { path: '/.monohull/other' },
      { path: '/ops/v1x0/status' },
      { path: '/ops/v1.00' },
      { path: '/m' },
      { method: 'POST', body: large },
    ]) {
      const { status, headers, body } = await monohull.request(asked)
      assert.deepEqual([status, headers['retry-after'], headers['cache-control']], [503, '60', 'no-store'])
      assert.match(body, /Back at &lt;nine&gt;/)
    }
    const json = await monohull.request({ headers: { accept: 'application/json' } })
    assert.deepEqual(JSON.parse(json.body), { error: 'maintenance', message: 'Back at <nine>' })
    for (const path of ['/healthz', '/readyz']) assert.equal((await monohull.request({ path })).status, 200)
    assert.equal((await monohull.request({ path: '/.monohull/maintenance' })).status, 503)
    for (const path of ['/.monohull/maintenance', '/.monohull/maintenance.html'])
      assert.equal((await monohull.request({ path, from: '127.0.0.2' })).status, 404)
    assert.equal((await monohull.request({ from: '127.0.0.2' })).body, 'well')
    assert.equal((await monohull.request({ path: '/f/closed.html', from: '127.0.0.2' })).status, 200)
    // pages of monohull itself, behind their guards: the status page ends maintenance
    const headers = { 'monohull-token': token }
    const ofPage = (options: RequestOptions) => monohull.request({ headers, ...options }).then(({ status }) => status)
    assert.equal(await ofPage({ path: '/m', headers: { host: 'a.example.com' } }), 200)
    assert.equal(await ofPage({ path: '/ops/v1.0/status', from: '127.0.0.9' }), 403)
    assert.equal(await ofPage({ path: '/ops/v1.0/maintenance/off', method: 'POST', from: '127.0.0.3' }), 200)
    assert.equal((await monohull.request()).body, 'well')
    assert.equal((await maintain(t, monohull, ...words)).code, 0)
    assert.deepEqual(nginxProcesses.childrenOf(monohull.nginx()), workers)
    monohull.signal('SIGTERM')
    await monohull.exited

    const again = startMonohull(t, { ...app, folder: monohull.folder, env })
    await again.serving()
    assert.match(again.output(), /maintenance is still on/)
    assert.match((await again.request()).body, /Back at &lt;nine&gt;/)
    assert.equal((await again.request({ from: '127.0.0.2' })).body, 'well')
    assert.match((await maintain(t, again)).output, /^maintenance is on since 2[\s\S]*allow +127\.0\.0\.2, 10/)
    const wrong = await maintain(t, again, 'on', '--allow', 'office')
    assert.deepEqual([wrong.code, /office is not an address/.test(wrong.output)], [1, true])
    const long = await maintain(t, again, 'on', '--message', 'ü'.repeat(1001))
    assert.deepEqual([long.code, /--message has 1001 characters, more than 1000/.test(long.output)], [64, true])
    assert.equal((await maintain(t, again, 'on', '--message', 'ü'.repeat(1000))).code, 0)
    assert.equal((await maintain(t, again, 'off')).code, 0)
    assert.equal((await again.request()).body, 'well')
  })
})

/** An app that notes each request, and whose responses to /slow take a moment. */
const noting = {
  ...app,
  files: {
    'app.cjs': `const { appendFileSync } = require('node:fs')
require('node:http').createServer((q, r) => {
  appendFileSync('seen', q.url + '\\n')
  q.resume().on('end', () => setTimeout(() => r.end(q.url), q.url === '/slow' ? 700 : 0))
}).listen(3000)`,
    'pages/a.html': 'static',
    'monohull.yaml': 'routes: [{ app: app }, { path: /f, files: { root: pages } }]\n',
  },
  env: { ...app.env, MONOHULL_HTTPS: 'off' },
}

/** Sends a request, and leaves the connection open. */
async function post(monohull: Monohull, path: string, body: string): Promise<Socket> {
  const socket = connect(Number(monohull.instance().httpPort), '127.0.0.1')
  await once(socket, 'connect')
  socket.write(`POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
  return socket
}

describe('monohull pause', () => {
  it('lets requests wait and loses none; those in flight end first; resume, or the time, lets them go on', async t => {
    const monohull = startMonohull(t, noting)
    await monohull.serving()
    const seen = () => readFileSync(join(monohull.folder, 'seen'), 'utf8').trim().split('\n')
    const agent = new http.Agent({ keepAlive: true })
    t.after(() => agent.destroy())
    const statuses = new Map<string, number>()
    let isDone = false
    let sent = 0
    const clients = Array.from({ length: 6 }, async (_, client) => {
      while (!isDone) {
        const path = `/${client}-${sent++}`
        const { status, body } = await monohull.request({ path, method: 'POST', body: 'x'.repeat(3000), agent })
        const got = body === path ? `${status}` : `${status} with another body`
        statuses.set(got, (statuses.get(got) ?? 0) + 1)
      }
    })
    await until('some requests', () => sent > 50)
    let hasSlowEnded = false
    const slow = monohull.request({ path: '/slow' }).then(({ body }) => {
      hasSlowEnded = body === '/slow'
    })
    await until('the slow one to be there', () => seen().includes('/slow'))
    const paused = await tell(t, monohull, 'pause', '--for', '30s')
    assert.match(paused.output, /paused until 2\S+Z: requests wait, and no request is in flight; monohull resume ends/)
    assert.equal(hasSlowEnded, true)
    await slow
    const before = seen().length
    for (let turn = 0; turn < 20; turn++) assert.equal((await monohull.request({ path: '/readyz' })).status, 200)
    assert.equal((await monohull.request({ path: '/f/a.html' })).body, 'static')
    assert.equal(seen().length, before, 'a request came through')
    assert.match((await tell(t, monohull, 'status')).output, /warning: requests wait until/)
    assert.equal((await tell(t, monohull, 'restart')).code, 0)
    assert.equal(seen().length, before)
    const waiting = async () =>
      Number(
        /active_requests\{app="app"[^\n]* (\d+)/.exec((await tell(t, monohull, 'status', '--metrics')).output)?.[1],
      )
    const usual = clients.length
    const impatient = await Promise.all(['x', 'x'.repeat(8000)].map(body => post(monohull, '/gone', body)))
    await until('them to wait', async () => (await waiting()) === usual + impatient.length)
    for (const socket of impatient) socket.destroy()
    await until('them to end', async () => (await waiting()) === usual)
    const resumed = await tell(t, monohull, 'resume', '--json')
    assert.deepEqual(JSON.parse(resumed.output), { ok: true, message: 'resumed: requests go on' })
    await until('more requests', () => seen().length > before + 50)
    assert.equal(seen().includes('/gone'), false, 'a request whose client had left reached the app')

    await tell(t, monohull, 'pause', '--for', '2s')
    await monohull.seen(/resumed: requests go on by=itself after=2/)
    const after = seen().length
    await until('more requests', () => seen().length > after + 50)
    isDone = true
    await Promise.all(clients)
    assert.deepEqual([...statuses.keys()], ['200'])
    assert.equal((await tell(t, monohull, 'resume')).output, 'monohull: nothing was paused\n')
    for (const [duration, problem] of [
      ['soon', /--for "soon" is not a duration from 1s to 10m/],
      ['11m', /--for "11m" is not a duration from 1s to 10m/],
    ] as const) {
      const { code, output } = await tell(t, monohull, 'pause', '--for', duration)
      assert.deepEqual([code, problem.test(output)], [64, true])
    }

    // a stop lets requests go on: they are in flight
    await tell(t, monohull, 'pause')
    const last = monohull.request({ path: '/last' })
    await until('the last one to wait', async () => (await monohull.request({ path: '/f/a.html' })).status === 200)
    monohull.signal('SIGTERM')
    assert.equal((await last).body, '/last')
    assert.equal(await monohull.exited, 0)
  })
})

describe('monohull check', () => {
  for (const [path, problem] of [
    ['nowhere.html', /maintenance_page: cannot be read: ENOENT, got "nowhere.html"/],
    ['pages', /maintenance_page: is not a file/],
  ] as const) {
    it(`refuses maintenance_page ${path}`, async t => {
      const args = ['check', 'sh', '-c', 'true']
      const told = startMonohull(t, { ...app, args, env: { MONOHULL_MAINTENANCE_PAGE: path } })
      assert.equal(await told.exited, 78)
      assert.match(told.output(), problem)
    })
  }
})
