// needs: gunicorn python3 python3-flask starman
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { fixture, startMonohull, until } from './monohull.ts'

const app = `require('node:http').createServer((q, r) => r.end('from ' + (process.env.npm_lifecycle_event ?? 'node'))).listen(process.env.PORT)`

describe('any command as the app', { concurrency: 3 }, () => {
  it('Gunicorn and Flask, by fd 3; a reload drops no request', async t => {
    const monohull = startMonohull(t, {
      args: ['run', 'gunicorn', '--chdir', fixture(''), '--bind', 'fd://3', 'flask_app:app'],
      env: { MONOHULL_KEEPALIVE: '0' },
    })
    await monohull.serving()
    const answer = JSON.parse((await monohull.request({ method: 'POST', body: 'hi' })).body)
    assert.deepEqual([answer.body, answer.forwarded], ['hi', 'https'])
    const before = [monohull.worker(1), monohull.worker(2)]
    const slow = monohull.request({ path: '/slow' })
    monohull.signal('SIGHUP')
    const statuses = new Set<number>()
    await until('the reload', async () => {
      statuses.add((await monohull.request({ method: 'POST', body: 'x' })).status)
      return /reload finished/.test(monohull.output())
    })
    assert.deepEqual([...statuses], [200])
    assert.equal((await slow).status, 200)
    assert.ok(!before.includes(monohull.worker(1)) && !before.includes(monohull.worker(2)))
  })

  it('Gunicorn by a wrapper that hides it: the path that it removes at its end is made again', async t => {
    const monohull = startMonohull(t, {
      args: ['run', 'sh', '-c', `exec gunicorn --chdir ${fixture('')} --bind fd://3 flask_app:app`],
      env: { MONOHULL_KEEPALIVE: '0', MONOHULL_WORKERS: '1', MONOHULL_MIN_UPTIME: '0s' },
    })
    await monohull.serving()
    const before = monohull.worker(1)
    process.kill(before, 'SIGTERM')
    const next = await monohull.workerAfter(1, before)
    await monohull.seen(new RegExp(`worker ready worker=app.1 pid=${next}`))
    assert.equal((await monohull.request()).status, 200)
  })

  it('a reload from one language to another loses no request', async t => {
    const yaml = (command: string) => `app: { keepalive: 0, command: [${command}] }\n`
    const monohull = startMonohull(t, { files: { 'monohull.yaml': yaml(`node, ${fixture('hello.cjs')}`) } })
    await monohull.serving()
    for (const command of [`gunicorn, --chdir, ${fixture('')}, 'flask_app:app'`, `node, ${fixture('hello.cjs')}`]) {
      const from = monohull.output().length
      writeFileSync(join(monohull.folder, 'monohull.yaml'), yaml(command))
      monohull.signal('SIGHUP')
      const statuses = new Set<number>()
      await until('the reload', async () => {
        statuses.add((await monohull.request()).status)
        return /reload (finished|abandoned)/.test(monohull.output().slice(from))
      })
      assert.match(monohull.output().slice(from), /reload finished/)
      assert.deepEqual([...statuses], [200])
    }
  })

  it('Starman, which drops requests on TERM, gets QUIT: a reload drops none', async t => {
    const monohull = startMonohull(t, {
      args: ['run', 'sh', '-c', 'exec starman --listen 127.0.0.1:$PORT --workers 1 app.psgi'],
      files: {
        'app.psgi': `sub { sleep 4 if $_[0]{QUERY_STRING} eq 'slow'; $_[0]{'psgi.input'}->read(my $body, 9); [200, [], [$body]] }\n`,
      },
      env: { MONOHULL_LISTEN: 'port', MONOHULL_WORKERS: '1', MONOHULL_MIN_UPTIME: '0s' },
    })
    await monohull.serving()
    const slow = monohull.request({ path: '/?slow', method: 'POST', body: 'kept' })
    monohull.signal('SIGHUP')
    await monohull.seen(/reload finished/)
    const { status, body } = await slow
    assert.deepEqual([status, body], [200, 'kept'])
    await monohull.seen(/worker stopped worker=app\.1 pid=\d+ exit="exit code 0"/)
  })

  it('a program that knows only $PORT', async t => {
    const monohull = startMonohull(t, {
      args: ['run', 'python3', '-m', 'http.server', '--bind', '127.0.0.1', '$PORT'],
      files: { 'page.txt': 'from a port' },
      env: { MONOHULL_LISTEN: 'port' },
    })
    await monohull.serving()
    assert.equal((await monohull.request({ path: '/page.txt' })).body, 'from a port')
    monohull.signal('SIGHUP')
    const statuses = new Set<number>()
    await until('the reload', async () => {
      statuses.add((await monohull.request({ path: '/page.txt' })).status)
      return /reload finished/.test(monohull.output())
    })
    assert.deepEqual([...statuses], [200])
  })

  for (const [command, script] of [
    [['npm', 'start'], 'start'],
    [['npm', 'run', 'serve'], 'serve'],
    [['yarn', 'start'], 'start'],
    [['pnpm', 'start'], 'start'],
    [[], 'start'],
  ] as const) {
    it(`${command.join(' ') || 'no command, with a package.json'}: the script itself gets the socket and the signals`, async t => {
      const monohull = startMonohull(t, {
        args: ['run', ...command],
        files: {
          'package.json': JSON.stringify({
            scripts: { start: 'node app.cjs', serve: 'NODE_ENV=production node app.cjs' },
          }),
          'app.cjs': app,
        },
        env: { MONOHULL_WORKERS: '1' },
      })
      await monohull.serving()
      assert.equal((await monohull.request()).body, `from ${script}`)
      monohull.signal('SIGTERM')
      assert.equal(await monohull.exited, 0)
      assert.match(monohull.output(), /worker stopped worker=app\.1 pid=\d+ exit="exit code 0"/)
    })
  }

  it('a script that takes a shell', async t => {
    const monohull = startMonohull(t, {
      args: ['run', 'npm', 'start'],
      files: {
        'package.json': JSON.stringify({
          scripts: { prestart: 'echo preparing > prepared', start: 'test -e prepared && node app.cjs' },
        }),
        'app.cjs': app,
      },
      env: { MONOHULL_WORKERS: '1' },
    })
    await monohull.serving()
    assert.equal((await monohull.request()).body, 'from start')
    monohull.signal('SIGTERM')
    assert.equal(await monohull.exited, 0)
  })

  it('TypeScript by tsx, without its command line', async t => {
    const monohull = startMonohull(t, {
      args: ['run', `${process.cwd()}/node_modules/.bin/tsx`, 'server.ts'],
      files: {
        'server.ts': `import http from 'node:http'\nconst text: string = 'typed'\nhttp.createServer((_q, r) => r.end(text)).listen(3000)\n`,
      },
      env: { MONOHULL_WORKERS: '1' },
    })
    await monohull.serving()
    assert.equal((await monohull.request()).body, 'typed')
  })
})
