import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import http from 'node:http'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it, type TestContext } from 'node:test'
import { httpProbe } from '../../../supervisor/workers/adapters/http-probe.ts'
import { buildPreload, type PreloadedOptions, startPreloaded } from './preloaded.ts'

const server = (name: string, listen: string) =>
  `http.createServer((_, response) => response.end('${name}')).listen(${listen})`
const head = "const http = require('node:http')\n"

describe('workers/preload', () => {
  const folder = mkdtempSync(join(tmpdir(), 'monohull-preload-'))
  const preload = join(folder, 'preload.cjs')
  before(() => buildPreload(preload))
  after(() => rmSync(folder, { recursive: true, force: true }))
  const start = (t: TestContext, options: Omit<PreloadedOptions, 'preload'>) =>
    startPreloaded(t, { preload, ...options })
  const run = (t: TestContext, script: string, env: Record<string, string> = {}) =>
    start(t, { args: ['app.cjs'], files: { 'app.cjs': head + script }, env })

  it('responds to probes itself: an app may not know `OPTIONS *`', async t => {
    const worker = run(
      t,
      `http.createServer((request, response) => {
         if (request.url === '*') throw new Error('no page')
         response.end(request.url)
       }).listen(3000)`,
    )
    await worker.ready()
    const probe = () => httpProbe.responds({ kind: 'unix', path: worker.socket }, 5000)
    assert.deepEqual([await probe(), await worker.ask('/page'), await probe()], [true, '/page', true])
    assert.equal(worker.output(), '')
  })

  describe('the server that gets the socket', () => {
    it('is the one that lives, not one that looks for a port', async t => {
      const worker = run(
        t,
        `const free = port => new Promise(resolve => {
           const probe = http.createServer()
           probe.listen(port, () => probe.close(() => resolve(port)))
         })
         free(3000).then(port => ${server('real', 'port')})`,
      )
      await worker.ready()
      assert.equal(await worker.ask(), 'real')
      assert.equal(worker.notified().filter(line => line === 'READY=1').length, 1)
    })

    it('is the same again when it closes and listens again', async t => {
      const worker = run(
        t,
        `let runs = 1
         const server = http.createServer((request, response) => {
           response.setHeader('Connection', 'close')
           response.end(String(runs))
           if (request.url === '/restart') server.close(() => { runs++; server.listen(3000) })
         }).listen(3000)`,
      )
      await worker.ready()
      for (const expected of ['1', '2', '3']) {
        assert.equal(await worker.ask('/restart'), expected)
        await worker.until('it to listen again', () => !worker.notified().includes('READY=0'))
      }
      assert.equal(await worker.ask(), '4')
    })

    it('is another one that the app opens instead', async t => {
      const worker = run(
        t,
        `const setup = http.createServer((_, response) => {
           response.setHeader('Connection', 'close')
           response.end('setup')
           setup.close(() => ${server('app', '3000')})
         }).listen(4000)`,
      )
      await worker.ready()
      assert.equal(await worker.ask(), 'setup')
      assert.equal(await worker.ask(), 'app')
    })

    it('is one that listened beside it, when the first one closes', async t => {
      const worker = run(
        t,
        `const first = http.createServer((_, response) => {
           response.setHeader('Connection', 'close')
           response.end('first')
           first.close()
         }).listen(4000, () => ${server('second', '0')})`,
      )
      await worker.ready()
      await worker.until('the second server', () => worker.output().includes('listens a second time'))
      assert.equal(await worker.ask(), 'first')
      assert.equal(await worker.ask(), 'second')
      assert.match(worker.output(), /set PORT in app.env to its port/)
    })

    it('is the one on $PORT, whatever listened before', async t => {
      const worker = run(t, `${server('admin', '0')}\nsetTimeout(() => ${server('public', "'3456'")}, 300)`, {
        PORT: '3456',
      })
      await worker.ready()
      assert.equal(await worker.ask(), 'public')
    })

    it('is no server on 127.0.0.1, if another follows', async t => {
      const script = `const metrics = ${server('metrics', "0, '127.0.0.1'")}
        metrics.on('listening', () => setTimeout(() => {
          ${server('public', '3000')}.on('listening', () => setImmediate(() => console.log('port', metrics.address().port)))
        }, 500))`
      const worker = run(t, script)
      await worker.ready()
      for (let count = 0; count < 3; count++) assert.equal(await worker.ask(), 'public')
      const port = await worker.until('its port', () => /port (\d+)/.exec(worker.output())?.[1])
      const body = await new Promise<string>((resolve, reject) => {
        http
          .get({ host: '127.0.0.1', port, agent: false }, response =>
            response.once('data', data => resolve(String(data))),
          )
          .on('error', reject)
      })
      assert.equal(body, 'metrics')
    })

    it('keeps a second listener at the interface it asked for', async t => {
      const worker = run(
        t,
        `${server('public', '3000')}
        const metrics = ${server('metrics', "0, '127.0.0.1'")}
        metrics.on('listening', () => console.log(JSON.stringify(metrics.address())))`,
      )
      await worker.ready()
      await worker.until('its address', () => /"address":"127.0.0.1"/.test(worker.output()))
      assert.equal(await worker.ask(), 'public')
    })

    it('is one on 127.0.0.1, if it is the only one', async t => {
      const worker = run(t, `console.log('starting')\n${server('alone', "3000, '127.0.0.1'")}`)
      await worker.ready()
      assert.equal(await worker.ask(), 'alone')
      assert.doesNotMatch(worker.output(), /monohull/)
    })

    it('is one with an unused connection and a timer on localhost, in the end', async t => {
      const worker = run(t, `setInterval(() => {}, 1000)\n${server('alone', "{ port: 3000, host: 'localhost' }")}`)
      await worker.ready()
      assert.equal(await worker.ask(), 'alone')
    })

    it('has a file where it named a path', async t => {
      const worker = run(
        t,
        `const fs = require('node:fs')
         const app = ${server('path', "'./app.sock'")}
         app.on('listening', () => { fs.chmodSync('./app.sock', 0o777); console.log('at', app.address()) })`,
      )
      await worker.ready()
      assert.equal(await worker.ask(), 'path')
      assert.match(worker.output(), /at \.\/app\.sock/)
      const own = join(worker.folder, 'app.sock')
      assert.ok(existsSync(own))
      await new Promise<void>((resolve, reject) => net.connect(own, resolve).on('error', reject).unref())
    })

    it('ends its readiness when it closes and no other follows', async t => {
      const worker = run(
        t,
        `const app = http.createServer((_, response) => {
           response.setHeader('Connection', 'close')
           response.end('last')
           app.close()
         }).listen(3000)
         process.on('SIGUSR2', () => app.listen(3000))
         setInterval(() => {}, 1000)`,
      )
      await worker.ready()
      assert.equal(await worker.ask(), 'last')
      await worker.until('READY=0', () => worker.notified().at(-1) === 'READY=0')
      worker.child.kill('SIGUSR2')
      await worker.until('READY=1', () => worker.notified().at(-1) === 'READY=1')
      assert.equal(await worker.ask(), 'last')
    })
  })

  describe('a wrapper', () => {
    const app = `${head}${server('wrapped', '3000')}
      process.on('SIGTERM', () => { console.log('drained'); process.exit(7) })`
    const wrappers: [string, string, Record<string, string>?][] = [
      ['that spawns', "spawn('node', ['app.cjs'], { stdio: 'inherit' }).on('exit', code => process.exit(code))"],
      ['that gives its streams', "spawn('node', ['app.cjs'], { stdio: [0, process.stdout, process.stderr] })"],
      ['with a shell', "spawn('node app.cjs', { shell: true, stdio: 'inherit', env: { PATH: process.env.PATH } })"],
      ['that waits for it', "spawnSync('node', ['app.cjs'], { stdio: 'inherit' })"],
      ['that runs a line', "execSync('node app.cjs', { stdio: 'inherit' })"],
      ['with a channel at descriptor 3', "spawn('node', ['app.cjs'], { stdio: ['pipe', 1, 2, 'pipe'] })"],
      [
        'in a wrapper',
        "spawn('node', ['-e', `require('child_process').spawn('node', ['app.cjs'], {stdio: 'inherit'})`], { stdio: 'inherit' })",
      ],
      ['of a cluster', "const cluster = require('cluster'); cluster.setupPrimary({ exec: 'app.cjs' }); cluster.fork()"],
    ]
    for (const [name, line] of wrappers) {
      it(`${name} passes the contract on`, async t => {
        const wrapper = `const { spawn, spawnSync, execSync } = require('node:child_process')\n${line}`
        const worker = start(t, { args: ['wrapper.cjs'], files: { 'wrapper.cjs': wrapper, 'app.cjs': app } })
        await worker.ready()
        assert.equal(await worker.ask(), 'wrapped')
        const child = Number(
          readFileSync(`/proc/${worker.child.pid}/task/${worker.child.pid}/children`, 'utf8').split(' ')[0],
        )
        assert.ok(child > 0)
      })
    }

    it('that is known passes the contract on, whatever it does with the output', async t => {
      const wrapper = "require('node:child_process').spawn('node', ['app.cjs'])"
      const worker = start(t, {
        args: ['node_modules/.bin/run-p'],
        files: { 'node_modules/npm-run-all/bin/run-p.js': wrapper, 'app.cjs': app },
        links: { 'node_modules/.bin/run-p': '../npm-run-all/bin/run-p.js' },
      })
      await worker.ready()
      assert.equal(await worker.ask(), 'wrapped')
    })

    it('in an ES module passes the contract on', async t => {
      const wrapper =
        "import { execFileSync } from 'node:child_process'\nexecFileSync('node', ['app.cjs'], { stdio: 'inherit' })"
      const worker = start(t, { args: ['wrapper.mjs'], files: { 'wrapper.mjs': wrapper, 'app.cjs': app } })
      await worker.ready()
      assert.equal(await worker.ask(), 'wrapped')
    })

    it('drains on the signal that its app is configured for, and on no other', async t => {
      const worker = start(t, {
        args: ['app.cjs'],
        files: { 'app.cjs': app.replace('SIGTERM', 'SIGUSR2') },
        env: { MONOHULL_STOP_SIGNAL: 'SIGUSR2' },
      })
      await worker.ready()
      worker.child.kill('SIGUSR2')
      assert.equal(await worker.exited, 7)
      assert.ok(worker.notified().includes('STOPPING=1'))
      const other = start(t, { args: ['app.cjs'], files: { 'app.cjs': app }, env: { MONOHULL_STOP_SIGNAL: 'SIGUSR2' } })
      await other.ready()
      other.child.kill('SIGTERM')
      assert.equal(await other.exited, 7)
      assert.ok(!other.notified().includes('STOPPING=1'))
    })

    it('ends at SIGTERM, so that its child gets it too', async t => {
      const wrapper = "require('node:child_process').spawnSync('node', ['app.cjs'], { stdio: 'inherit' })"
      const worker = start(t, { args: ['wrapper.cjs'], files: { 'wrapper.cjs': wrapper, 'app.cjs': app } })
      await worker.ready()
      worker.child.kill('SIGTERM')
      assert.equal(await worker.exited, 'SIGTERM')
      process.kill(-(worker.child.pid ?? 0), 'SIGTERM')
      await worker.until('the child to drain', () => worker.output().includes('drained'))
    })

    it('is no app that has a server already, nor one whose child is a part of it', async t => {
      const worker = run(
        t,
        `const { spawn, fork } = require('node:child_process')
         const look = ['-e', 'console.log("inode", process.env.MONOHULL_SOCKET_INODE, process.env.NODE_OPTIONS)']
         spawn('node', look, { stdio: ['ignore', 'pipe', 'inherit'] }).stdout.pipe(process.stdout)
         ${server('app', '3000')}
         spawn('node', look, { stdio: 'inherit' })`,
      )
      await worker.ready()
      await worker.until('both', () => worker.output().match(/inode undefined undefined/g)?.length === 2)
    })
  })
})
