import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createLog } from '../../../supervisor/base/log.ts'
import { createRotation } from '../../../supervisor/nginx/rotation.ts'
import { createHandClock } from '../hand-clock.ts'
import { systemError } from '../refusing-system.ts'
import { appPlan, assertFailed, createFaultyPool, outcome } from './faulty-pool.ts'

const timeout = 5000
const spawnRefusals = [systemError('EAGAIN', 'spawn node'), systemError('EMFILE', 'spawn node')]
const _noRoom = systemError('ENOSPC', "symlink '/run/app-1.sock.next'")

const silentProbe = { responds: async () => false, respondsToGet: async () => false }

describe('a pool whose system starts no process', { timeout }, () => {
  for (const [listen, port, hint] of [
    ['port', 40_000, undefined],
    ['port', 5000, /does not listen on its port, .* port=5000 fix="pass it \$PORT, which is 40000 /],
    ['inherit', 5000, /does not listen on its socket, .* port=5000 fix="set app\.listen: port, and pass it \$PORT/],
  ] as const) {
    it(`hints in development at port ${port} of a worker with listen: ${listen}: ${hint}`, async () => {
      const faulty = createFaultyPool(
        { listen, count: 1, afterFailure: 'wait' },
        { portsOf: () => [port], probe: silentProbe },
      )
      void faulty.pool.start()
      await faulty.advance(100)
      faulty.lines.length = 0
      await faulty.advance(5000)
      const warnings = faulty.lines.filter(line => line.includes('does not listen'))
      assert.equal(warnings.length, hint ? 1 : 0)
      if (hint) assert.match(warnings.join(), hint)
    })
  }

  for (const refusal of spawnRefusals) {
    const code = String(refusal.code)

    it(`fails its boot by ${code} when no worker comes up, and has said why`, async () => {
      const faulty = createFaultyPool()
      faulty.refuse.spawn = refusal
      const booted = faulty.pool.start()
      await faulty.advance(0)
      const result = await booted
      assert.equal(result.ok, false)
      assert.deepEqual(
        faulty.lines.map(line => [/worker=(\S+)/.exec(line)?.[1], line.includes(code)]),
        [
          ['app.1', true],
          ['app.2', true],
        ],
      )
    })

    it(`serves with the workers it has, and tries the one refused by ${code} again with backoff`, async () => {
      const faulty = createFaultyPool()
      await faulty.serve()
      const survivor = faulty.worker(1)
      faulty.refuse.spawn = refusal
      faulty.worker(2).exit()
      await faulty.advance(0)
      assert.deepEqual(faulty.states(), ['serving', 'waiting'])
      await faulty.advance(10_000)
      assert.deepEqual(faulty.states(), ['serving', 'waiting'])
      const tries = faulty.lines.filter(line => line.includes(`reason="${code}`)).length
      assert.ok(tries > 5 && tries < 20, `${tries} tries in 10 s`)
      assert.equal(faulty.links.get('/run/app-2.sock'), '/run/app-1.sock')
      assert.equal(faulty.bound().length, 1, 'no socket is left over from the refused starts')

      faulty.refuse.spawn = undefined
      await faulty.advance(1000)
      await faulty.ready()
      assert.deepEqual(faulty.states(), ['serving', 'serving'])
      assert.equal(faulty.links.get('/run/app-2.sock'), faulty.bound()[1])
      assert.equal(faulty.worker(1), survivor)
    })

    it(`abandons a roll by ${code}: the old workers stay`, async () => {
      const faulty = createFaultyPool()
      await faulty.serve()
      const before = [faulty.worker(1), faulty.worker(2)]
      faulty.refuse.spawn = refusal
      const result = await outcome(faulty, faulty.pool.roll({ ...appPlan, argv: ['node', 'next.js'] }), 100)
      assertFailed(result, new RegExp(`app\\.1: .*${code}.*; raise`))
      assert.deepEqual([faulty.worker(1), faulty.worker(2)], before)
      assert.equal(faulty.bound().length, 2, 'the sockets of the refused workers are closed')
      faulty.refuse.spawn = undefined
      const again = faulty.pool.restart()
      for (let slot = 0; slot < 2; slot++) {
        await faulty.ready()
        await faulty.advance(1000)
      }
      assert.deepEqual(await again, { ok: true })
    })

    it(`gives up scaling by ${code}, and scales when it can`, async () => {
      const faulty = createFaultyPool()
      await faulty.serve()
      faulty.refuse.spawn = refusal
      assertFailed(await outcome(faulty, faulty.pool.scale(3), 100), new RegExp(`app\\.3: .*${code}.*; raise`))
      assert.deepEqual([faulty.pool.plan().count, faulty.states()], [2, ['serving', 'serving']])
      faulty.refuse.spawn = undefined
      const scaled = faulty.pool.scale(3)
      await faulty.ready()
      assert.deepEqual(await scaled, { ok: true })
      assert.equal(faulty.pool.status().length, 3)
    })
  }

  it('comes back though all slots were refused', async () => {
    const faulty = createFaultyPool()
    await faulty.serve()
    faulty.refuse.spawn = spawnRefusals[0]
    for (const child of faulty.alive()) child.exit()
    await faulty.advance(3000)
    assert.deepEqual(faulty.states(), ['waiting', 'waiting'])
    assert.deepEqual(faulty.pool.rotation(), [])
    faulty.refuse.spawn = undefined
    await faulty.advance(1000)
    await faulty.ready()
    assert.deepEqual(faulty.states(), ['serving', 'serving'])
    assert.equal(faulty.pool.rotation().length, 4)
  })

  it('brings a replaced worker back to the old plan when a later one is refused, as soon as that can start', async () => {
    const faulty = createFaultyPool({ minUptimeMs: 0 })
    await faulty.serve()
    const rolling = faulty.pool.roll({ ...appPlan, minUptimeMs: 0, argvFor: () => ['node', 'next.js'] })
    await faulty.advance(0)
    faulty.refuse.spawn = spawnRefusals[0]
    await faulty.ready()
    assertFailed(await outcome(faulty, rolling, 100), /app\.2: .*EAGAIN/)
    assert.deepEqual(faulty.states(), ['serving', 'serving'])
    faulty.refuse.spawn = undefined
    await faulty.advance(1000)
    await faulty.ready()
    await faulty.advance(1000)
    assert.deepEqual(faulty.states(), ['serving', 'serving'])
    for (const slot of [1, 2]) assert.deepEqual(faulty.worker(slot).spec.argv, ['node', 'app.js'])
  })

  it('stops while a start waits for its next try', async () => {
    const faulty = createFaultyPool()
    await faulty.serve()
    faulty.refuse.spawn = spawnRefusals[1]
    faulty.worker(2).exit()
    await faulty.advance(500)
    const stopped = faulty.pool.stop(1000)
    await faulty.advance(2000)
    await stopped
    faulty.refuse.spawn = undefined
    await faulty.advance(60_000)
    assert.deepEqual(faulty.alive(), [])
    assert.deepEqual(faulty.bound(), [])
  })
})

describe('a pool that can bind no socket', { timeout }, () => {
  for (const code of ['EMFILE', 'ENOSPC', 'EACCES'] as const) {
    it(`keeps the old workers when ${code} refuses the new one its own, and leaves none behind`, async () => {
      const faulty = createFaultyPool()
      await faulty.serve()
      const before = [faulty.worker(1), faulty.worker(2)]
      faulty.refuse.bind = systemError(code, 'bind /run/app-1.2.sock')
      const rolling = faulty.pool.roll({ ...appPlan, argv: ['gunicorn'] })
      assertFailed(await outcome(faulty, rolling, 100), new RegExp(`app\\.1: .*${code}.*; \\w`))
      assert.deepEqual([faulty.worker(1), faulty.worker(2)], before)
      assert.deepEqual(faulty.states(), ['serving', 'serving'])
      faulty.refuse.bind = undefined
      const again = faulty.pool.roll({ ...appPlan, argv: ['gunicorn'] })
      for (let slot = 0; slot < 2; slot++) {
        await faulty.ready()
        await faulty.advance(1000)
      }
      assert.deepEqual(await again, { ok: true })
      assert.equal(faulty.bound().length, 2)
    })

    it(`boots with the others when ${code} refuses one slot, and tries that again`, async () => {
      const faulty = createFaultyPool()
      const { bind } = faulty.sockets
      faulty.sockets.bind = path => {
        if (path.includes('app-2') && faulty.refuse.point === undefined) throw systemError(code, `bind ${path}`)
        return bind(path)
      }
      const booted = faulty.pool.start()
      await faulty.ready()
      assert.deepEqual(await booted, { ok: true })
      assert.deepEqual(faulty.states(), ['serving', 'waiting'])
      faulty.sockets.bind = bind
      await faulty.advance(1000)
      await faulty.ready()
      assert.deepEqual(faulty.states(), ['serving', 'serving'])
    })
  }
})

describe('a pool whose nginx cannot be told', { timeout }, () => {
  it('goes on, and is told of when that works again', async () => {
    const nginx: { refusal?: Error | undefined; told: number[] } = { told: [] }
    const { clock, advance } = createHandClock()
    const log = createLog({ format: 'text', level: 'error', now: () => 0, write() {} })
    const rotation = createRotation(
      async () => {
        if (nginx.refusal) throw nginx.refusal
        nginx.told.push(faulty.pool.rotation().length)
      },
      { clock, log },
    )
    const faulty = createFaultyPool({ listen: 'port', entries: 0 }, { onRotation: rotation.changed })
    await faulty.serve()
    nginx.refusal = systemError('ENOSPC', 'write')
    const restarted = faulty.pool.restart()
    for (let slot = 0; slot < 2; slot++) {
      await faulty.ready()
      await faulty.advance(2000)
    }
    assert.deepEqual(await restarted, { ok: true })
    const scaled = faulty.pool.scale(1)
    await faulty.advance(2000)
    assert.deepEqual(await scaled, { ok: true })
    assert.equal(faulty.alive().length, 1)
    assert.equal(nginx.told.at(-1), 2)
    nginx.refusal = undefined
    await advance(30_000)
    assert.equal(nginx.told.at(-1), 1)
  })
})
