import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { isGroupAlive } from '../../supervisor/processes/adapters/procfs.ts'
import { fixture, startMonohull, until } from './monohull.ts'

const hello = ['run', 'node', fixture('hello.cjs')]

describe('workers', () => {
  it('come back in the same slot after a crash, with a record that says why', async t => {
    const monohull = startMonohull(t, { args: hello, env: { MONOHULL_MIN_UPTIME: '0s' } })
    await monohull.serving()
    const before = monohull.worker(1)
    process.kill(before, 'SIGSEGV')
    const [record] = await monohull.seen(/worker died worker=app\.1 .*/)
    assert.match(record, /signal SIGSEGV.*uptime_ms=\d+.*decision="restarted at once"/)
    await monohull.seen(new RegExp(`worker ready worker=app.1 pid=${await monohull.workerAfter(1, before)}`))
    assert.equal((await monohull.request()).status, 200)
  })

  it('lose no GET when one is killed with requests in its queue, even the only one', async t => {
    const monohull = startMonohull(t, { args: hello, env: { MONOHULL_WORKERS: '1' } })
    await monohull.serving()
    const before = monohull.worker(1)
    const waiting = monohull.request({ path: '/slow?ms=300' })
    await until('the request to arrive', () => monohull.request({ path: '/' }))
    process.kill(before, 'SIGKILL')
    const answer = await waiting
    assert.equal(answer.status, 200)
    assert.notEqual(JSON.parse(answer.body).pid, before)
  })

  it('serve on when a withdrawn slot cannot be led elsewhere for want of room in run_dir', async t => {
    const monohull = startMonohull(t, { args: hello, env: { MONOHULL_MIN_UPTIME: '1m' } })
    await monohull.serving()
    // what a full disk refuses
    mkdirSync(join(monohull.folder, 'run/app-2.sock.next/full'), { recursive: true })
    const first = monohull.worker(2)
    process.kill(first, 'SIGSEGV')
    const second = await monohull.workerAfter(2, first)
    await monohull.seen(new RegExp(`worker ready worker=app\\.2 pid=${second}`))
    process.kill(second, 'SIGSEGV')
    await monohull.seen(/error cannot redirect requests between workers app=app reason=.*app-2\.sock\.next/)
    const third = await monohull.workerAfter(2, second)
    await monohull.seen(new RegExp(`worker ready worker=app\\.2 pid=${third}`))
    assert.equal((await monohull.request()).status, 200)
  })

  it('in a crash loop are withdrawn from nginx and tried again; the others serve', async t => {
    const monohull = startMonohull(t, {
      args: ['run', 'sh', '-c', 'if [ "$MONOHULL_SLOT" = 2 ] && [ -e stop2 ]; then exit 4; fi; exec node app.cjs'],
      files: {
        'app.cjs': `require('node:http').createServer((q, r) => { if (q.url === '/die2' && process.env.MONOHULL_SLOT === '2') process.exit(4); r.end(process.env.MONOHULL_SLOT) }).listen(3000)`,
        stop2: '',
      },
      env: { MONOHULL_BACKOFF_INITIAL: '50ms', MONOHULL_BACKOFF_MAX: '200ms' },
    })
    await monohull.serving()
    await monohull.seen(/slot withdrawn|decision="slot withdrawn, retried after backoff"/)
    for (let count = 0; count < 10; count++) assert.equal((await monohull.request()).body, '1')
    const { rmSync } = await import('node:fs')
    rmSync(`${monohull.folder}/stop2`)
    await until('slot 2 to serve', async () => (await monohull.request()).body === '2')
  })

  it('answer 503 with Retry-After and a page when none is left, and recover by themselves', async t => {
    const monohull = startMonohull(t, {
      args: ['run', 'sh', '-c', 'if [ -e broken ]; then exit 4; fi; exec node app.cjs'],
      files: {
        'app.cjs': `require('node:http').createServer((q, r) => { if (q.url === '/die') { require('fs').writeFileSync('broken', ''); process.exit(4) } r.end('well') }).listen(3000)`,
      },
      env: { MONOHULL_WORKERS: '1', MONOHULL_BACKOFF_INITIAL: '50ms', MONOHULL_BACKOFF_MAX: '200ms' },
    })
    await monohull.serving()
    void monohull.request({ path: '/die', method: 'POST' }).catch(() => {})
    const answer = await until('503', async () => {
      const now = await monohull.request({ method: 'POST' })
      return now.status === 503 && now
    })
    assert.equal(answer.headers['retry-after'], '5')
    assert.match(answer.body, /Back in a moment/)
    assert.equal((await monohull.request({ path: '/readyz' })).status, 503)
    assert.equal((await monohull.request({ path: '/healthz' })).status, 200)
    const { rmSync } = await import('node:fs')
    rmSync(`${monohull.folder}/broken`)
    await until('the app to be back', async () => (await monohull.request()).body === 'well')
    assert.equal((await monohull.request({ path: '/readyz' })).status, 200)
  })

  it('that ignore SIGTERM are killed at graceful_timeout, with their children', async t => {
    const monohull = startMonohull(t, {
      args: ['run', 'node', fixture('stubborn.cjs')],
      env: { MONOHULL_WORKERS: '1', MONOHULL_GRACEFUL_TIMEOUT: '400ms' },
    })
    await monohull.serving()
    const group = monohull.worker(1)
    assert.match((await monohull.request()).body, /^\d+$/)
    monohull.signal('SIGTERM')
    assert.equal(await monohull.exited, 0)
    assert.match(monohull.output(), /worker stopped worker=app\.1 .*signal SIGKILL/)
    assert.equal(isGroupAlive(group), false)
  })

  it('end the container with their code when app.on_failure is exit', async t => {
    const monohull = startMonohull(t, { args: hello, env: { MONOHULL_ON_FAILURE: 'exit' } })
    await monohull.serving()
    void monohull.request({ path: '/crash', method: 'POST' }).catch(() => {})
    assert.equal(await monohull.exited, 5)
    assert.match(monohull.output(), /decision="everything is stopped"/)
  })

  it('end the container without waiting for a GET that nobody is left to answer', async t => {
    const env = { MONOHULL_ON_FAILURE: 'exit', MONOHULL_WORKERS: '1', MONOHULL_STOP_TIMEOUT: '10m' }
    const monohull = startMonohull(t, { args: hello, env })
    await monohull.serving()
    const waiting = monohull.request({ path: '/slow?ms=60000' })
    await until('the request to arrive', () => monohull.request())
    process.kill(monohull.worker(1), 'SIGSEGV')
    assert.equal((await waiting).status, 502)
    assert.equal(await monohull.exited, 139)
  })

  it('end the container only after exit_after.failures of them', async t => {
    const monohull = startMonohull(t, {
      args: hello,
      files: { 'monohull.yaml': 'app: { on_failure: exit, exit_after: { failures: 3, within: 1m } }\n' },
    })
    await monohull.serving()
    const crash = () => void monohull.request({ path: '/crash', method: 'POST' }).catch(() => {})
    for (const deaths of [1, 2]) {
      crash()
      await monohull.seen(new RegExp(`(worker died[^]*){${deaths}}`))
      await until('the worker to be back', async () =>
        (await monohull.request({ path: '/readyz' })).body.includes('"ready":2'),
      )
    }
    crash()
    assert.equal(await monohull.exited, 5)
    assert.equal(monohull.output().match(/error worker died/g)?.length, 3)
  })

  it('get what the contract says, and keep it from their children', async t => {
    const monohull = startMonohull(t, {
      args: ['run', 'node', 'app.cjs'],
      files: {
        'app.cjs': `const env = { ...process.env }; const child = require('node:child_process').execFileSync(process.execPath, ['-p', 'JSON.stringify([process.env.NODE_OPTIONS, process.env.LISTEN_FDS])']).toString();
          require('node:http').createServer((q, r) => r.end(JSON.stringify({ worker: env.MONOHULL_WORKER, slots: env.MONOHULL_WORKERS, secret: env.TOKEN, concurrency: env.WEB_CONCURRENCY, configured: env.MONOHULL_HTTP_PORT, child: JSON.parse(child), address: this.address }))).listen(3000)`,
        'monohull.yaml': 'app: { env: { TOKEN: { file: token } } }\n',
        token: 'hidden\n',
      },
      env: { MONOHULL_WORKERS: '1', WEB_CONCURRENCY: '7' },
    })
    await monohull.serving()
    assert.deepEqual(JSON.parse((await monohull.request()).body), {
      worker: 'app.1',
      slots: '1',
      secret: 'hidden',
      child: [null, null],
    })
    assert.doesNotMatch(monohull.output(), /hidden/)
  })
})

describe('a worker that is told to stop', () => {
  it('finishes its request before the app hears of SIGTERM, and the app closes without an error', async t => {
    const monohull = startMonohull(t, { args: ['run', 'node', fixture('handler.cjs')], env: { MONOHULL_WORKERS: '1' } })
    await monohull.serving()
    const slow = monohull.request({ path: '/slow' })
    await until('the request to arrive', () => monohull.request())
    monohull.signal('SIGTERM')
    assert.equal((await slow).body, 'slow answer')
    assert.equal(await monohull.exited, 0)
    assert.match(monohull.output(), /handler runs[\s\S]*closed well/)
  })
})
