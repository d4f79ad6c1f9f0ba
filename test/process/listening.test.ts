import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { askAdmin } from '../../supervisor/run/adapters/admin-client.ts'
import type { Status } from '../../supervisor/run/status.ts'
import { allReady, type Monohull, startMonohull, until } from './monohull.ts'

const head = "const http = require('node:http')\n"

async function statesOf(monohull: Monohull): Promise<string[]> {
  const answer = await askAdmin(join(monohull.folder, 'run/admin.sock'), { method: 'GET', path: '/status' })
  return (answer.body as Status).workers.map(({ state }) => state)
}

describe('an app that closes its server', { concurrency: 2 }, () => {
  it('gets no requests until it listens again', async t => {
    const monohull = startMonohull(t, {
      args: ['run', 'node', 'app.cjs'],
      files: {
        'app.cjs': `${head}
          const server = http.createServer((request, response) => {
            response.setHeader('Connection', 'close')
            response.end(String(process.pid))
            if (request.url === '/close') server.close()
          }).listen(3000)
          process.on('SIGUSR2', () => server.listen(3000))
          setInterval(() => {}, 1000)`,
      },
      env: { MONOHULL_WORKERS: '2' },
    })
    await monohull.serving()
    const first = Number((await monohull.request({ path: '/close' })).body)
    await monohull.seen(/warn worker accepts no requests: its HTTP server has closed worker=app\.\d pid=\d+ fix=/)
    await until('one to serve', async () => (await statesOf(monohull)).sort().join() === 'not accepting,serving')
    for (let count = 0; count < 6; count++) {
      const { status, body } = await monohull.request()
      assert.equal(status, 200)
      assert.notEqual(Number(body), first)
    }
    assert.equal((await monohull.request({ path: '/readyz' })).status, 200)

    const second = Number((await monohull.request({ path: '/close' })).body)
    await until('none to serve', async () => (await statesOf(monohull)).join() === 'not accepting,not accepting')
    await until('readiness to end', async () => (await monohull.request({ path: '/readyz' })).status === 503)
    await until('503', async () => (await monohull.request()).status === 503)

    process.kill(second, 'SIGUSR2')
    await monohull.seen(new RegExp(`worker accepts requests again worker=app\\.\\d pid=${second}`))
    await until('its response', async () => (await monohull.request()).body === String(second))
    assert.equal((await monohull.request({ path: '/readyz' })).status, 200)
    // a replacement serves whatever its predecessor did
    const before = monohull.output().length
    process.kill(monohull.instance().supervisor.pid, 'SIGUSR2')
    await monohull.seen(/workers replaced/, before)
    await until('both to serve', async () => (await statesOf(monohull)).join() === 'serving,serving')
    assert.equal((await monohull.request()).status, 200)
  })

  it('keeps requests that come while it listens again', async t => {
    const monohull = startMonohull(t, {
      args: ['run', 'node', 'app.cjs'],
      files: {
        'app.cjs': `${head}
          let runs = 1
          const server = http.createServer((request, response) => {
            response.setHeader('Connection', 'close')
            response.end(String(runs))
            if (request.url === '/restart') server.close(() => { runs++; setTimeout(() => server.listen(3000), 200) })
          }).listen(3000)`,
      },
      env: { MONOHULL_WORKERS: '1' },
    })
    await monohull.serving()
    for (const expected of ['1', '2', '3']) assert.equal((await monohull.request({ path: '/restart' })).body, expected)
    assert.equal((await monohull.request()).body, '4')
    assert.doesNotMatch(monohull.output(), /accepts no requests/)
  })
})

describe('an app with a server for itself', { concurrency: 2 }, () => {
  const metrics = "http.createServer((_, response) => response.end('metrics'))"

  it('does not show it to the world, with listen: port too', async t => {
    const monohull = startMonohull(t, {
      args: ['run', '--listen', 'port', 'node', 'app.cjs'],
      files: {
        'app.cjs': `${head}
          ${metrics}.listen(0, '127.0.0.1', () => setTimeout(() => {
            http.createServer((_, response) => response.end('public')).listen(process.env.PORT)
          }, 300))`,
      },
    })
    await monohull.serving()
    for (let count = 0; count < 4; count++) assert.equal((await monohull.request()).body, 'public')
  })

  it('may be no HTTP server of Node on $PORT, and listen late', async t => {
    const response = 'HTTP/1.1 200 OK\\r\\nConnection: close\\r\\nContent-Length: 3\\r\\n\\r\\nnet'
    const monohull = startMonohull(t, {
      args: ['run', '--listen', 'port', '--boot-timeout', '10s', 'node', 'app.cjs'],
      files: {
        'app.cjs': `const server = require('node:net').createServer(socket => socket.once('data', () => socket.end('${response}')))
          setTimeout(() => server.listen(process.env.PORT, '127.0.0.1'), 500)`,
      },
    })
    await monohull.serving()
    assert.equal((await monohull.request()).body, 'net')
  })
})

describe('a wrapper between monohull and the app', { concurrency: 2 }, () => {
  const app = `${head}
    const server = http.createServer((request, response) =>
      setTimeout(() => response.end(String(process.pid)), request.url === '/slow' ? 500 : 0)).listen(3000)
    process.on('SIGTERM', () => { console.log('the app ends'); process.exit(0) })`

  it('passes the socket on, and loses no request at a stop', async t => {
    const monohull = startMonohull(t, {
      args: ['run', 'npm', 'start'],
      files: {
        'package.json':
          '{ "name": "app", "version": "1.0.0", "scripts": { "start": "node with-env.cjs A=1 node app.cjs" } }',
        'with-env.cjs': `const { spawn } = require('node:child_process')
          const child = spawn(process.argv[3], process.argv.slice(4), { stdio: 'inherit' })
          process.on('SIGTERM', () => child.kill('SIGTERM'))
          child.on('exit', code => process.exit(code ?? 1))`,
        'app.cjs': app,
      },
      env: { MONOHULL_WORKERS: '2' },
    })
    await allReady(monohull, 2)
    const { body } = await monohull.request()
    assert.match(readFileSync(`/proc/${body}/cmdline`, 'utf8'), /app\.cjs/)
    const slow = monohull.request({ path: '/slow' })
    await until('the request to arrive', () => monohull.request())
    monohull.signal('SIGTERM')
    assert.equal((await slow).status, 200)
    assert.equal(await monohull.exited, 0)
    assert.equal(monohull.output().match(/the app ends/g)?.length, 2)
  })

  it('is named with the fix where it does not', async t => {
    const monohull = startMonohull(t, {
      args: ['run', 'node', 'wrapper.cjs'],
      files: {
        'wrapper.cjs': "require('node:child_process').spawn('node', ['app.cjs'], { stdio: 'pipe' })",
        'app.cjs': app.replace('3000', '0'),
      },
      env: { MONOHULL_WORKERS: '1', MONOHULL_BOOT_TIMEOUT: '3s' },
    })
    assert.notEqual(await monohull.exited, 0)
    assert.match(
      monohull.output(),
      /it listens on port \d+ instead, in node \(pid \d+\), which node wrapper\.cjs started without descriptor 3; run that program itself/,
    )
  })
})
