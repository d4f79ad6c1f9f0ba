import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { childrenOf } from '../../supervisor/processes/adapters/procfs.ts'
import { fixture, type Monohull, startMonohull, until } from './monohull.ts'

const hello = ['run', 'node', fixture('hello.cjs')]

/** Requests one after the other until `done`; their statuses. */
async function statusesUntil(monohull: Monohull, done: () => boolean): Promise<number[]> {
  const statuses = new Set<number>()
  await until('the command', async () => {
    statuses.add((await monohull.request()).status)
    statuses.add((await monohull.request({ method: 'POST', body: 'x' })).status)
    return done()
  })
  return [...statuses]
}

describe('signals', { concurrency: 3 }, () => {
  for (const signal of ['SIGTERM', 'SIGQUIT'] as const) {
    it(`${signal}: readiness goes off, requests are finished, the exit code is 0`, async t => {
      const monohull = startMonohull(t, { args: hello, env: { MONOHULL_STOP_DELAY: '500ms' } })
      await monohull.serving()
      const slow = monohull.request({ path: '/slow?ms=1000' })
      await until('the request to arrive', () => monohull.request())
      monohull.signal(signal)
      const ready = await until('readiness to go off', async () => {
        const answer = await monohull.request({ path: '/readyz' })
        return answer.status === 503 && answer
      })
      assert.equal(JSON.parse(ready.body).status, 'draining')
      assert.equal((await slow).status, 200)
      assert.equal(await monohull.exited, 0)
    })
  }

  it('health and readiness stay 200 while the only worker is replaced', async t => {
    const monohull = startMonohull(t, { args: hello, env: { MONOHULL_WORKERS: '1' } })
    await monohull.serving()
    for (const [signal, done] of [
      ['SIGUSR2', /workers replaced/],
      ['SIGHUP', /reload finished/],
    ] as const) {
      const former = monohull.worker(1)
      const statuses = new Set<number>()
      monohull.signal(signal)
      await until(signal, async () => {
        for (const path of ['/readyz', '/healthz']) statuses.add((await monohull.request({ path })).status)
        return done.test(monohull.output())
      })
      assert.deepEqual([...statuses], [200])
      assert.notEqual(monohull.worker(1), former)
    }
  })

  for (const signals of [['SIGINT'], ['SIGTERM', 'SIGTERM']] as const) {
    it(`${signals.join(' and ')}: stops at once, though a request is open`, async t => {
      const monohull = startMonohull(t, { args: hello })
      await monohull.serving()
      const open = monohull.request({ path: '/slow?ms=60000' }).catch(error => error)
      await until('the request to arrive', () => monohull.request())
      for (const [index, signal] of signals.entries()) {
        monohull.signal(signal)
        await until('the signal to be taken', () => (monohull.output().match(/command received/g) ?? []).length > index)
      }
      assert.equal(await monohull.exited, 0)
      await open
    })
  }

  it('SIGTERM while workers boot: ends, leaving nothing, without a delay for load balancers', async t => {
    // the delay is longer than a test may take
    const env = { MONOHULL_STOP_DELAY: '10m', MONOHULL_STOP_TIMEOUT: '11m' }
    const monohull = startMonohull(t, { args: ['run', 'node', fixture('silent.cjs')], env })
    await monohull.seen(/silent is up/)
    monohull.signal('SIGTERM')
    assert.equal(await monohull.exited, 0)
  })

  it('SIGHUP: leaves nginx alone when none of its files has changed, and not when one of the user has', async t => {
    const monohull = startMonohull(t, { args: hello, files: { 'nginx/server.d/own.conf': '# nothing yet\n' } })
    await monohull.serving()
    const reload = async () => {
      const from = monohull.output().length
      monohull.signal('SIGHUP')
      await monohull.seen(/reload finished/, from)
    }
    const before = childrenOf(monohull.nginx())
    await reload()
    assert.deepEqual(childrenOf(monohull.nginx()), before)
    writeFileSync(join(monohull.folder, 'nginx/server.d/own.conf'), 'location = /own { return 204; }\n')
    await reload()
    assert.equal((await monohull.request({ path: '/own' })).status, 204)
  })

  it('SIGHUP: reads the configuration, reloads nginx, replaces the workers, loses no request', async t => {
    const monohull = startMonohull(t, { args: hello, files: { 'monohull.yaml': 'app: { env: { VERSION: one } }\n' } })
    await monohull.serving()
    assert.equal(JSON.parse((await monohull.request()).body).version, 'one')
    const before = { worker: monohull.worker(1), nginx: childrenOf(monohull.nginx()) }
    writeFileSync(join(monohull.folder, 'monohull.yaml'), 'app: { keepalive: 16, env: { VERSION: two } }\n')
    monohull.signal('SIGHUP')
    assert.deepEqual(await statusesUntil(monohull, () => /reload finished/.test(monohull.output())), [200])
    // one that drains may still answer what was under way to it
    await until('the new version', async () => JSON.parse((await monohull.request()).body).version === 'two')
    assert.notEqual(monohull.worker(1), before.worker)
    await until('new nginx workers alone', () => childrenOf(monohull.nginx()).every(pid => !before.nginx.includes(pid)))
  })

  it('SIGHUP changes the number of workers', async t => {
    const monohull = startMonohull(t, {
      args: hello,
      files: { 'monohull.yaml': 'app: { workers: 1 }\n' },
      env: { MONOHULL_WORKERS: undefined as unknown as string },
    })
    await monohull.serving()
    const workers = async () =>
      new Set(
        (await Promise.all(Array.from({ length: 12 }, () => monohull.request({ path: '/slow?ms=20' })))).map(
          answer => JSON.parse(answer.body).worker,
        ),
      )
    assert.deepEqual([...(await workers())], ['app.1'])
    for (const count of [3, 1]) {
      const from = monohull.output().length
      writeFileSync(join(monohull.folder, 'monohull.yaml'), `app: { workers: ${count} }\n`)
      monohull.signal('SIGHUP')
      await monohull.seen(/reload finished/, from)
      await until(`${count} workers to answer`, async () => (await workers()).size === count)
    }
  })

  it('SIGUSR2 replaces the workers', async t => {
    const monohull = startMonohull(t, { args: hello })
    await monohull.serving()
    const before = monohull.worker(2)
    monohull.signal('SIGUSR2')
    assert.deepEqual(await statusesUntil(monohull, () => /workers replaced/.test(monohull.output())), [200])
    assert.notEqual(monohull.worker(2), before)
  })

  it('SIGUSR1 and SIGWINCH leave it serving, and start no inspector', async t => {
    const monohull = startMonohull(t, { args: hello })
    await monohull.serving()
    monohull.signal('SIGWINCH')
    monohull.signal('SIGUSR1')
    await monohull.seen(/command received command=reopenLogs/)
    assert.equal((await monohull.request()).status, 200)
    assert.doesNotMatch(monohull.output(), /Debugger listening/)
  })
})

describe('a reload that cannot be done changes nothing:', { concurrency: 3 }, () => {
  const cases: [string, string, RegExp][] = [
    ['an unknown key', 'htps: on\n', /htps: is not a known key[\s\S]*did you mean https\?/],
    ['a YAML error', 'app: [\n', /monohull\.yaml:\d+/],
    ['a command that is not there', 'app: { command: [nonesuch] }\n', /was not found, got "nonesuch"/],
    [
      'an app that exits at once',
      `app: { command: [node, ${fixture('exits.cjs')}] }\n`,
      /exit code 3[\s\S]*the last words of the app/,
    ],
    [
      'an app that never listens',
      `app: { command: [node, ${fixture('silent.cjs')}], boot_timeout: 500ms }\n`,
      /did not listen within boot_timeout 500ms/,
    ],
    ['another port', 'http_port: 1234\n', /http_port cannot change without a restart/],
  ]
  for (const [name, yaml, reason] of cases) {
    it(name, async t => {
      const monohull = startMonohull(t, {
        files: { 'monohull.yaml': `app: { command: [node, ${fixture('hello.cjs')}] }\n` },
        env: {
          MONOHULL_HTTP_PORT: undefined as unknown as string,
          ...(name === 'another port' ? {} : { MONOHULL_HTTP_PORT: '0' }),
        },
      })
      if (name === 'another port') return void (await checkPort(monohull, yaml, reason))
      await monohull.serving()
      const before = [monohull.worker(1), monohull.worker(2)]
      writeFileSync(join(monohull.folder, 'monohull.yaml'), yaml)
      monohull.signal('SIGHUP')
      assert.deepEqual(await statusesUntil(monohull, () => /reload abandoned/.test(monohull.output())), [200])
      assert.match(monohull.output(), reason)
      assert.deepEqual([monohull.worker(1), monohull.worker(2)], before)
    })
  }

  async function checkPort(monohull: Monohull, yaml: string, reason: RegExp): Promise<void> {
    await monohull.seen(/serving|the port is taken/)
    writeFileSync(join(monohull.folder, 'monohull.yaml'), yaml)
    monohull.signal('SIGHUP')
    await monohull.seen(reason)
  }

  it('a broken nginx snippet, told with its file and line', async t => {
    const monohull = startMonohull(t, { args: hello, files: { 'nginx/http.d/ok.conf': '# fine\n' } })
    await monohull.serving()
    writeFileSync(join(monohull.folder, 'nginx/http.d/bad.conf'), '\nnonsense on;\n')
    monohull.signal('SIGHUP')
    await monohull.seen(/reload abandoned[\s\S]*unknown directive .*nonsense.* in .*nginx\/http\.d\/bad\.conf:2/)
    assert.equal((await monohull.request()).status, 200)
  })
})
