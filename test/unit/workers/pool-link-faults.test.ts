import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { systemError } from '../refusing-system.ts'
import { appPlan, assertFailed, createFaultyPool, outcome } from './faulty-pool.ts'

const timeout = 5000
const spawnRefusals = [systemError('EAGAIN', 'spawn node'), systemError('EMFILE', 'spawn node')]
const noRoom = systemError('ENOSPC', "symlink '/run/app-1.sock.next'")

describe('a pool that can change no link', { timeout }, () => {
  it('restarts a worker on its own socket without one', async () => {
    const faulty = createFaultyPool()
    await faulty.serve()
    faulty.refuse.point = noRoom
    faulty.worker(2).exit()
    await faulty.advance(200)
    await faulty.ready()
    assert.deepEqual(faulty.states(), ['serving', 'serving'])
    assert.deepEqual(
      faulty.lines.filter(line => line.includes('ENOSPC')),
      [],
    )
  })

  it('serves with the others when a withdrawn slot cannot be led past, says so once, and leads when it can', async () => {
    const faulty = createFaultyPool()
    await faulty.serve()
    faulty.refuse.spawn = spawnRefusals[0]
    faulty.refuse.point = noRoom
    faulty.worker(2).exit()
    await faulty.advance(10_000)
    assert.equal(faulty.states()[0], 'serving')
    assert.equal(faulty.lines.filter(line => /ENOSPC.*free space/.test(line)).length, 1)
    faulty.refuse.point = undefined
    await faulty.advance(2000)
    assert.equal(faulty.links.get('/run/app-2.sock'), '/run/app-1.sock')
    faulty.refuse.point = noRoom
    faulty.refuse.spawn = undefined
    await faulty.advance(1000)
    await faulty.ready()
    assert.deepEqual(faulty.states(), ['serving', 'serving'])
    assert.equal(faulty.links.get('/run/app-2.sock'), '/run/app-1.sock', 'its requests go to the other one')
    faulty.refuse.point = undefined
    await faulty.advance(2000)
    assert.match(faulty.links.get('/run/app-2.sock') ?? '', /app-2\.\d+\.sock/)
  })

  it('leads all others when one cannot be', async () => {
    const faulty = createFaultyPool()
    await faulty.serve()
    assert.equal(faulty.links.get('/run/app-4.sock'), '/run/app-2.sock')
    const { point } = faulty.sockets
    faulty.sockets.point = (link, path) => {
      if (link === '/run/app-2.sock') throw noRoom
      point(link, path)
    }
    faulty.refuse.spawn = spawnRefusals[0]
    faulty.worker(2).exit()
    await faulty.advance(500)
    assert.equal(faulty.links.get('/run/app-4.sock'), '/run/app-1.sock')
  })

  it('abandons a roll to workers with sockets of their own: the old ones stay', async () => {
    const faulty = createFaultyPool()
    await faulty.serve()
    const [first, second] = [faulty.worker(1), faulty.worker(2)]
    const rolling = faulty.pool.roll({ ...appPlan, argv: ['gunicorn'] })
    await faulty.ready()
    faulty.refuse.point = noRoom
    assertFailed(await outcome(faulty, rolling, 3000), /app\.1: ENOSPC.*; free space/)
    assert.deepEqual([faulty.worker(1), faulty.worker(2)], [first, second])
    assert.deepEqual([first.signals, second.signals], [[], []])
    assert.deepEqual(faulty.alive(), [first, second])
    assert.equal(faulty.bound().length, 2)
  })

  it('leads to the new worker, once it can, when the old one died while both were ready', async () => {
    const faulty = createFaultyPool({ surge: 2 })
    await faulty.serve()
    const rolling = faulty.pool.roll({ ...appPlan, surge: 2, argv: ['gunicorn'] })
    const old = faulty.worker(1)
    await faulty.ready() // on trial
    faulty.refuse.point = noRoom
    old.exit()
    await faulty.advance(400)
    assert.equal(faulty.bound().length, 3, 'nothing waits in the queue of the dead')
    faulty.refuse.point = undefined
    await faulty.advance(3000)
    assert.deepEqual(await rolling, { ok: true })
    assert.equal(faulty.links.get('/run/app-1.sock'), '/run/app-1.2.sock')
    assert.deepEqual(faulty.states(), ['serving', 'serving'])
  })

  it('adds no worker, and counts none, while scaling', async () => {
    const faulty = createFaultyPool({ entries: 2 })
    await faulty.serve()
    faulty.refuse.point = noRoom
    assertFailed(await outcome(faulty, faulty.pool.scale(3), 100), /app\.3: ENOSPC.*; free space/)
    assert.deepEqual([faulty.pool.plan().count, faulty.states()], [2, ['serving', 'serving']])
    faulty.refuse.point = undefined
    const scaled = faulty.pool.scale(3)
    await faulty.ready()
    assert.deepEqual(await scaled, { ok: true })
    assert.deepEqual(faulty.states(), ['serving', 'serving', 'serving'])
  })

  it('lets a worker go that is scaled away, and leads its requests elsewhere when it can', async () => {
    const faulty = createFaultyPool()
    await faulty.serve()
    faulty.refuse.point = noRoom
    assert.deepEqual(await outcome(faulty, faulty.pool.scale(1), 3000), { ok: true })
    assert.equal(faulty.alive().length, 1)
    faulty.refuse.point = undefined
    await faulty.advance(2000)
    assert.equal(faulty.links.get('/run/app-2.sock'), '/run/app-1.sock')
  })

  it('starts no worker that would take the link of a slot that was scaled away, when its last one dies', async () => {
    const never = new Promise<boolean>(() => {})
    const faulty = createFaultyPool({}, { probe: { responds: () => never, respondsToGet: async () => true } })
    await faulty.serve()
    void faulty.pool.scale(1)
    await faulty.advance(10)
    for (let death = 0; death < 4; death++) {
      faulty.alive('app.2')[0]?.exit()
      await faulty.advance(1500)
    }
    assert.deepEqual(faulty.alive('app.2'), [])
    assert.equal(faulty.links.get('/run/app-2.sock'), '/run/app-1.sock')
  })

  it('throws at its start, with what the system said', () => {
    const faulty = createFaultyPool()
    faulty.refuse.point = noRoom
    assert.throws(() => faulty.pool.start(), { code: 'ENOSPC' })
  })

  it('tries no more when it has stopped', async () => {
    const faulty = createFaultyPool()
    await faulty.serve()
    faulty.refuse.point = noRoom
    faulty.refuse.spawn = spawnRefusals[0]
    faulty.worker(2).exit()
    await faulty.advance(500)
    const stopped = faulty.pool.stop(1000)
    await faulty.advance(0)
    await stopped
    await faulty.advance(40_000)
    assert.equal(faulty.waiting(), 0)
  })
})
