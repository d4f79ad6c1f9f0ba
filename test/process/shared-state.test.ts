// needs: redis-server
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { systemClock } from '../../supervisor/base/adapters/system-clock.ts'
import type { Clock } from '../../supervisor/base/clock.ts'
import { until } from './monohull.ts'
import { startCluster } from './redis-groups.ts'
import { startRedisProxy } from './redis-proxy.ts'
import { startRedis } from './redis-server.ts'
import { acquired, join, leaseMs, open } from './shared-states.ts'

/** Clock of an instance that can be frozen: no timer of it runs meanwhile. Its time of day is minutes off. */
function createFreezer() {
  let waiting: (() => void)[] | undefined
  const clock: Clock = {
    now: () => systemClock.now() + 300_000,
    monotonic: systemClock.monotonic,
    after: (ms, callback) => systemClock.after(ms, () => (waiting ? void waiting.push(callback) : callback())),
  }
  return {
    clock,
    freeze() {
      waiting = []
    },
    thaw() {
      const late = waiting ?? []
      waiting = undefined
      for (const callback of late) callback()
    },
  }
}

describe('the shared state', () => {
  it('is one for all instances: records, locks, changes and members', async t => {
    const redis = await startRedis(t)
    const guide = readFileSync(new URL('../../docs/guide/scaling.md', import.meta.url), 'utf8')
    const rules = /^ACL SETUSER monohull (.*)$/m.exec(guide)?.[1]?.replace('>PASSWORD', '>hunter2').split(' ') ?? []
    await redis.cli('acl', 'setuser', 'monohull', ...rules)
    const keys = { username: 'monohull', password: 'hunter2' }
    const [one, two, other] = await Promise.all([
      join(t, redis.store, { keys }),
      join(t, redis.store, { keys }),
      join(t, redis.store, { keys: { prefix: 'other:' } }),
    ])
    const seen: (string | undefined)[] = []
    two.watch('a/', name => seen.push(name))

    const written = await one.write('a/b', 'text', { version: 0, ttlMs: 60_000 })
    assert.deepEqual(await two.read('a/b'), {
      value: 'text',
      version: written.kind === 'written' ? written.version : 0,
    })
    assert.equal(await other.read('a/b'), undefined)
    await until('the change', () => seen.includes('a/b'))
    // whoever comes second
    assert.deepEqual(await two.write('a/b', 'mine', { version: 0 }), { kind: 'conflict' })
    const version = (await two.read('a/b'))?.version ?? 0
    assert.equal((await two.write('a/b', 'next', { version })).kind, 'written')
    assert.deepEqual(await one.remove('a/b', { version }), { kind: 'conflict' })
    assert.equal(Number(await redis.cli('pttl', 'monohull:{state}:record:a/b')), -1)
    assert.equal((await one.remove('a/b')).kind, 'written')
    assert.equal(await two.read('a/b'), undefined)

    const lock = await acquired(one, 'x')
    // it ends by itself, whatever becomes of its holder
    assert.ok(Number(await redis.cli('pttl', 'monohull:{state}:lock:x')) > 0)
    assert.equal(await one.acquire('x'), undefined)
    assert.deepEqual(await two.withLock('x', async () => 1), { hadLock: false })
    assert.ok(await other.acquire('x'))
    await lock.release()
    const outcome = await two.withLock('x', async ({ token }) => token > lock.token)
    assert.deepEqual(outcome, { hadLock: true, result: true })
    assert.equal(lock.signal.aborted, false)

    one.introduce(() => ({ version: '1.2.3' }))
    await until('the introduction', async () => {
      const mine = (await two.members()).find(({ id }) => id === one.id)
      return mine?.info.version === '1.2.3' && mine.ageMs < 30_000
    })
    assert.deepEqual((await two.members()).map(({ id }) => id).sort(), [one.id, two.id].sort())
    await one.close()
    assert.deepEqual(
      (await two.members()).map(({ id }) => id),
      [two.id],
    )
  })

  it('keeps a lock while it is renewed, and lets no instance act or write that was frozen past its lease', async t => {
    const redis = await startRedis(t)
    const freezer = createFreezer()
    const [frozen, other] = await Promise.all([join(t, redis.store, freezer), join(t, redis.store)])
    const lock = await acquired(frozen, 'x')
    const begun = systemClock.monotonic()
    while (systemClock.monotonic() - begun < leaseMs * 1.5) assert.equal(await other.acquire('x'), undefined)
    assert.equal((await frozen.write('r', 'first', { lock })).kind, 'written')

    freezer.freeze()
    const next = await acquired(other, 'x')
    assert.ok(next.token > lock.token)
    // it does not know yet
    assert.equal(lock.signal.aborted, false)
    assert.deepEqual(await frozen.write('r', 'late', { lock }), { kind: 'lost' })
    assert.equal((await other.write('r', 'second', { lock: next })).kind, 'written')
    await next.release()
    assert.deepEqual(await frozen.write('r', 'late', { lock }), { kind: 'lost' })
    assert.deepEqual(await frozen.remove('r', { lock }), { kind: 'lost' })
    freezer.thaw()
    await until('the loss', () => lock.signal.aborted)
    await lock.release()
    assert.equal((await other.read('r'))?.value, 'second')
  })

  it('fails at once while it is cut off, loses its locks before others get them, and recovers', async t => {
    const redis = await startRedis(t)
    const proxy = await startRedisProxy(t, redis.socket)
    const [cut, other] = await Promise.all([join(t, proxy.store), join(t, redis.store)])
    const lock = await acquired(cut, 'x')
    const all: unknown[] = []
    cut.watch('', name => all.push(name))
    proxy.behaviour.isClosed = true
    proxy.cut()
    await until('the loss of the connection', () => cut.problem() !== undefined)
    await assert.rejects(cut.read('r'))
    const next = await acquired(other, 'x')
    assert.ok(lock.signal.aborted)
    assert.equal((await other.write('r', 'text', { lock: next })).kind, 'written')
    proxy.behaviour.isClosed = false
    await until('the connection', () => cut.problem() === undefined)
    await until('the report that anything may have changed', () => all.includes(undefined))
    assert.equal((await cut.read('r'))?.value, 'text')
    assert.equal(await cut.acquire('x'), undefined)
  })

  it('connects again in seconds, at whichever step of connecting nothing more came', async t => {
    const redis = await startRedis(t)
    const proxy = await startRedisProxy(t, redis.socket)
    for (const step of ['HELLO', 'TRACKING', 'server', 'replication', 'EVAL', 'PING']) {
      proxy.behaviour.silentFrom = step
      const state = open(t, proxy.store)
      await until(`the outage at ${step}`, () => /no response/.test(state.problem() ?? ''), { deadlineMs: 12_000 })
      proxy.behaviour.silentFrom = ''
      await until(`the connection after ${step}`, () => state.problem() === undefined, { deadlineMs: 12_000 })
      await state.close()
    }
  })

  it('never repeats a token or a version, also if Redis loses its data', async t => {
    const redis = await startRedis(t)
    const state = await join(t, redis.store)
    const before = await acquired(state, 'x')
    assert.equal((await state.write('r', 'a')).kind, 'written')
    const { version = 0 } = (await state.read('r')) ?? {}
    await redis.cli('flushall')
    const after = await acquired(state, 'x')
    assert.equal((await state.write('r', 'b')).kind, 'written')
    assert.ok(after.token > before.token)
    assert.ok(((await state.read('r'))?.version ?? 0) > version)
    assert.deepEqual(await state.write('r', 'late', { lock: before }), { kind: 'lost' })
  })

  it('may be a cluster', async t => {
    const { store } = await startCluster(t)
    const [one, two] = await Promise.all([join(t, store), join(t, store)])
    const seen: unknown[] = []
    two.watch('', name => seen.push(name))
    const lock = await acquired(one, 'x')
    assert.equal(await two.acquire('x'), undefined)
    assert.equal((await one.write('r', one.seal('r', 'text'), { lock })).kind, 'written')
    await until('the change', () => seen.includes('r'))
    assert.equal(two.unseal('r', (await two.read('r'))?.value ?? ''), 'text')
    await until('both members', async () => (await one.members()).length === 2)
  })
})
