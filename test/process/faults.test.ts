import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import https from 'node:https'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { childrenOf, isGroupAlive } from '../../supervisor/processes/adapters/procfs.ts'
import { launcher } from './built.ts'
import { ask, defer, fixture, startMonohull, temporaryFolder, until } from './monohull.ts'

const hello = ['run', 'node', fixture('hello.cjs')]

describe('when nginx is killed with -9', () => {
  it('its workers serve on, a new master takes the same sockets, and the old workers drain', async t => {
    const monohull = startMonohull(t, { args: hello })
    await monohull.serving()
    const master = monohull.nginx()
    const orphans = childrenOf(master)
    const open = monohull.request({ path: '/slow?ms=700' })
    await until('the request to arrive', () => monohull.request())
    process.kill(master, 'SIGKILL')
    const statuses = new Set<number>()
    await until('nginx to be back', async () => {
      statuses.add((await monohull.request()).status)
      return /nginx is back/.test(monohull.output())
    })
    assert.deepEqual([...statuses], [200])
    assert.equal((await open).status, 200)
    assert.notEqual(monohull.nginx(), master)
    await until('the orphans to end', () => !isGroupAlive(master), { details: () => orphans.join(' ') })
    assert.equal((await monohull.request({ path: '/healthz' })).status, 200)
  })

  it('kept connections go on as if nothing had happened, while they are used', async t => {
    const monohull = startMonohull(t, { args: hello })
    await monohull.serving()
    const agent = new https.Agent({ keepAlive: true, maxSockets: 1 })
    defer(t, () => agent.destroy())
    const connections = new Set<unknown>()
    const request = async () => {
      assert.equal((await monohull.request({ agent })).status, 200)
      for (const socket of Object.values(agent.freeSockets).flat()) connections.add(socket)
    }
    const first = monohull.nginx()
    await request()
    process.kill(first, 'SIGKILL')
    await until('nginx to be back', async () => {
      await request()
      return /nginx is back/.test(monohull.output())
    })
    const end = Date.now() + 2500 // twice as long as they may be quiet, and longer
    await until('the time to be over', async () => {
      await request()
      return Date.now() > end
    })
    assert.ok(isGroupAlive(first), 'the old workers serve on')
    assert.equal(connections.size, 1)
    agent.destroy()
    await until('the orphans to end', () => !isGroupAlive(first))
  })

  it('again and again, it still stops cleanly', async t => {
    const monohull = startMonohull(t, { args: hello })
    await monohull.serving()
    for (let count = 0; count < 3; count++) {
      const master = monohull.nginx()
      process.kill(master, 'SIGKILL')
      await until('the next master', () => monohull.nginx() !== master && childrenOf(monohull.nginx()).length > 0)
      assert.equal((await monohull.request()).status, 200)
    }
    monohull.signal('SIGTERM')
    assert.equal(await monohull.exited, 0)
  })
})

describe('when the supervisor', () => {
  it('is frozen, traffic goes on', async t => {
    const monohull = startMonohull(t, { args: hello })
    await monohull.serving()
    monohull.signal('SIGSTOP')
    for (let count = 0; count < 20; count++) assert.equal((await monohull.request()).status, 200)
    monohull.signal('SIGCONT')
    assert.equal((await monohull.request({ path: '/healthz' })).status, 200)
  })

  it('is killed with -9 on a host, the next one ends what is left, says so, and takes the ports', async t => {
    const first = startMonohull(t, { args: hello })
    const { httpPort, httpsPort } = await first.serving()
    const left = [first.worker(1), first.worker(2), first.nginx()]
    first.signal('SIGKILL')
    assert.equal(await first.exited, 137)
    assert.equal((await ask(httpsPort, { scheme: 'https' })).status, 200, 'what is left serves on')

    const second = startMonohull(t, {
      args: hello,
      folder: first.folder,
      env: { MONOHULL_HTTP_PORT: String(httpPort), MONOHULL_HTTPS_PORT: String(httpsPort) },
    })
    const again = await second.serving()
    assert.deepEqual([again.httpPort, again.httpsPort], [httpPort, httpsPort])
    await second.seen(/stopped processes left by a previous instance processes=.*app\.1.*nginx/)
    for (const pid of left) assert.equal(isGroupAlive(pid), false)
    assert.equal((await second.request()).status, 200)
  })

  it('runs already in the same folder, a second one says so and touches nothing', async t => {
    const first = startMonohull(t, { args: hello })
    await first.serving()
    const second = startMonohull(t, { args: hello, folder: first.folder })
    assert.equal(await second.exited, 78)
    assert.match(second.output(), /monohull is already running in .* \(pid \d+\)/)
    assert.equal((await first.request()).status, 200)
  })
})

describe('when the disk is full', () => {
  it('a reload is abandoned and everything serves on; a start says what is missing', async t => {
    const folder = temporaryFolder(t)
    const small = join(folder, 'small')
    mkdirSync(small)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=800k', 'tmpfs', small])
    defer(t, () => execFileSync('umount', ['--lazy', small]))
    const running = startMonohull(t, { folder, args: hello, env: { MONOHULL_RUN_DIR: join(small, 'run') } })
    await running.serving()
    fill(join(small, 'filler'))
    running.signal('SIGHUP')
    await running.seen(/reload abandoned.*ENOSPC.*; free space there/)
    const before = running.worker(1)
    process.kill(before, 'SIGKILL')
    await running.seen(/worker died[\s\S]*worker ready/)
    assert.equal((await running.request()).status, 200)
    rmSync(join(small, 'filler'))
    // with no change to note it with
    await until('the new worker in the record', () => running.worker(1) !== before)
    running.signal('SIGHUP')
    await running.seen(/reload finished/)
    fill(join(small, 'filler'))
    const second = startMonohull(t, { folder, args: hello, env: { MONOHULL_RUN_DIR: join(small, 'other') } })
    assert.equal(await second.exited, 78)
    assert.match(second.output(), /ENOSPC|no space left/)
    assert.doesNotMatch(second.output(), /internal error/)
  })
})

describe('an exception that nothing handles', () => {
  for (const [what, fault] of [
    ['in a timer, again and again', `throw new Error('boom')`],
    ['in a promise that nobody awaits', `Promise.reject(new Error('boom'))`],
  ] as const) {
    it(`(${what}) drains everything, and the exit code is 70`, async t => {
      const folder = temporaryFolder(t)
      const trigger = join(folder, 'trigger')
      const preload = join(folder, 'fault.cjs')
      writeFileSync(
        preload,
        `if (process.argv[1] === ${JSON.stringify(launcher)})
           setInterval(() => { if (require('node:fs').existsSync(${JSON.stringify(trigger)})) ${fault} }, 20).unref()`,
      )
      const monohull = startMonohull(t, { folder, args: hello, env: { NODE_OPTIONS: `--require=${preload}` } })
      await monohull.serving()
      const slow = monohull.request({ path: '/slow?ms=500' })
      await monohull.request()
      writeFileSync(trigger, '')
      await monohull.seen(/internal error, please report it: everything is stopped[\s\S]*boom/)
      assert.equal((await slow).status, 200)
      assert.equal(await monohull.exited, 70)
      assert.match(monohull.output(), /worker stopped worker=app\.1/)
    })
  }
})

/** Writes until the disk takes no more. */
function fill(path: string): void {
  const descriptor = openSync(path, 'w')
  try {
    for (let written = 0; written < 1 << 20; ) written += writeSync(descriptor, Buffer.alloc(1024))
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC')
  } finally {
    closeSync(descriptor)
  }
}
