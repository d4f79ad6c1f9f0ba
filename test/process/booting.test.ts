// needs: python3
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import net from 'node:net'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { ask, fixture, type StartOptions, startMonohull, temporaryFolder, until } from './monohull.ts'

/** A port that is free now. */
async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as net.AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** Monohull with workers that boot until `open` is called. */
async function startGated(t: TestContext, env: StartOptions['env'] = {}) {
  const folder = temporaryFolder(t)
  const gate = join(folder, 'gate')
  const port = await freePort()
  const monohull = startMonohull(t, {
    folder,
    args: ['run', 'node', fixture('waits.cjs')],
    env: { GATE: gate, MONOHULL_HTTPS: 'off', MONOHULL_HTTP_PORT: String(port), ...env },
  })
  return { monohull, port, open: () => writeFileSync(gate, '') }
}

describe('while the workers boot', () => {
  it('keeps who connects waiting, answers health, and serves everybody when a worker is ready', async t => {
    const { monohull, port, open } = await startGated(t)
    await until('health', async () => (await ask(port, { path: '/healthz' }).catch(() => undefined))?.status === 200)
    assert.equal((await ask(port, { path: '/readyz' })).status, 503)
    let answered = 0
    const early = Array.from({ length: 5 }, async () => {
      const { status } = await ask(port, { method: 'POST', body: 'early' })
      answered++
      return status
    })
    await monohull.seen(/starting/)
    assert.equal(answered, 0)
    open()
    assert.deepEqual(await Promise.all(early), [200, 200, 200, 200, 200])
    await monohull.serving()
    assert.equal((await ask(port, { path: '/readyz' })).status, 200)
  })

  it('a stop cuts off who waits: nginx does not answer for workers that end before it', async t => {
    const { monohull, port } = await startGated(t)
    await until('health', async () => (await ask(port, { path: '/healthz' }).catch(() => undefined))?.status === 200)
    const waiting = Array.from({ length: 8 }, () =>
      ask(port, { method: 'POST', body: 'early' }).then(
        ({ status }) => status,
        () => 'cut off',
      ),
    )
    await ask(port, { path: '/healthz' })
    // one that takes its time
    process.kill(monohull.nginx(), 'SIGSTOP')
    monohull.signal('SIGINT')
    assert.deepEqual([...new Set(await Promise.all(waiting))], ['cut off'])
    assert.equal(await monohull.exited, 0)
  })

  it('sends nothing more to a worker that boots for long once another one is ready', async t => {
    const { monohull, port, open } = await startGated(t, { GATED_SLOT: '2' })
    await monohull.serving()
    const workers = new Set<string>()
    for (let count = 0; count < 20; count++) workers.add(JSON.parse((await ask(port)).body).worker)
    assert.deepEqual([...workers], ['app.1'])
    open()
    await until('the second worker to answer', async () => JSON.parse((await ask(port)).body).worker === 'app.2')
  })

  it('hands over a socket that listens already, for programs that only accept', async t => {
    const monohull = startMonohull(t, {
      args: ['run', 'python3', fixture('accepts.py')],
      env: { MONOHULL_KEEPALIVE: '0' },
    })
    await monohull.serving()
    assert.equal((await monohull.request()).body, 'accepted')
  })

  it('a stop that comes before nginx was started leaves no nginx behind', async t => {
    const port = await freePort()
    // the worker runs before nginx does: its certificate has to be made first
    const monohull = startMonohull(t, {
      args: ['run', 'sh', '-c', 'kill -INT $PPID; exec sleep 60'],
      env: { MONOHULL_HTTP_PORT: String(port) },
    })
    assert.equal(await monohull.exited, 0)
    assert.doesNotMatch(monohull.output(), /inherited sockets/, 'nginx was started')
    await assert.rejects(ask(port), /ECONNREFUSED/)
  })
})
