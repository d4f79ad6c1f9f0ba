import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { hour, minute, second, setUp } from './acme-service-world.ts'
import type { Fault } from './fake-authority.ts'

const stuck: Fault = { kind: 'lies' }

describe('certificates/acme: names do not wait for each other', () => {
  it('a name whose validation stays pending delays no other', async () => {
    const { tick, advance, authority, served } = setUp(['slow.test', 'one.test', 'two.test'])
    authority.forever.set('slow.test', stuck)
    tick()
    await advance(3 * second)
    assert.deepEqual([...served.keys()], ['one.test', 'two.test'])
  })

  it('nor do more slow names than have a place', async () => {
    const slow = Array.from({ length: 12 }, (_, index) => `slow${index}.test`)
    const { tick, advance, authority, served } = setUp([...slow, 'one.test'])
    for (const name of slow) authority.forever.set(name, { kind: 'slow', ms: 30 * second })
    tick()
    await advance(9 * second)
    assert.deepEqual([...served.keys()], ['one.test'])
  })

  it('a first handshake takes turns with many renewals', async () => {
    const many = Array.from({ length: 100 }, (_, index) => `n${index}.test`)
    const { acme, tick, advance, authority, served } = setUp(many)
    for (const name of many) authority.forever.set(name, { kind: 'slow', ms: second })
    tick()
    await advance(second)
    const obtained = acme().obtain({ name: 'first.test', domains: ['first.test'] })
    await advance(4 * second)
    assert.equal((await obtained).ok, true)
    assert.ok(served.size < 20)
  })

  it('an order for a name that is already being ordered joins that order', async () => {
    const { acme, tick, advance, ordersOf } = setUp(['one.test'])
    tick()
    const renewed = acme().renew('one.test', 'forced')
    await advance(5 * second)
    assert.equal((await renewed).ok, true)
    assert.equal(ordersOf('one.test').length, 1)
  })
})

describe('certificates/acme: an order at a first handshake that fails', () => {
  it('is not placed again before its time, is finished after it, and its certificate is renewed', async () => {
    const { acme, advance, authority, ordersOf, served } = setUp([], { isOnDemand: true })
    const plan = { name: 'one.test', domains: ['one.test'] }
    authority.forever.set('one.test', stuck)
    const first = acme().obtain(plan)
    await advance(200 * second)
    const outcome = await first
    assert.deepEqual([outcome.ok, (outcome.retryInMs ?? 0) > 30 * second], [false, true])
    assert.equal((await acme().obtain(plan)).ok, false)
    assert.equal(ordersOf('one.test').length, 1)
    authority.forever.clear()
    await advance(2 * minute)
    assert.equal(served.has('one.test'), true)
    assert.equal(ordersOf('one.test').length, 1)
    await advance(24 * hour * 70)
    assert.equal(ordersOf('one.test').length, 2)
  })

  it('is finished after a restart too, and a name without an order in progress is forgotten', async () => {
    const { acme, advance, restart, authority, ordersOf, served, stored } = setUp([], { isOnDemand: true })
    authority.forever.set('one.test', stuck)
    authority.forever.set('no.test', { kind: 'refuses', type: 'rejectedIdentifier' })
    const outcomes = ['one.test', 'no.test'].map(name => acme().obtain({ name, domains: [name] }))
    await advance(200 * second)
    await Promise.all(outcomes)
    restart()
    const again = await acme().obtain({ name: 'one.test', domains: ['one.test'] })
    assert.equal(again.ok, false)
    authority.forever.delete('one.test')
    await advance(2 * minute)
    assert.deepEqual([...served.keys()], ['one.test'])
    assert.equal(ordersOf('one.test').length, 1)
    assert.deepEqual(stored(), ['one.test'])
  })
})

describe('certificates/acme: a forced renewal that fails', () => {
  it('is tried again with the usual backoff, also after a restart, until it succeeds', async () => {
    const { acme, tick, advance, restart, authority, served, ordersOf } = setUp(['one.test'])
    tick()
    await advance(5 * second)
    authority.forever.set('one.test', { kind: 'refuses', type: 'serverInternal' })
    const renewed = acme().renew('one.test', 'forced')
    await advance(5 * second)
    assert.equal((await renewed).ok, false)
    const [status] = acme().status()
    assert.equal(status?.why, 'a forced renewal failed')
    assert.ok(((status?.nextAt ?? 0) - (authority.calls.at(-1)?.at ?? 0)) / minute <= 1)
    restart()
    await advance(90 * second)
    assert.equal(served.get('one.test'), 'one.test#0')
    authority.forever.clear()
    await advance(3 * minute)
    assert.equal(served.get('one.test'), 'one.test#1')
    await advance(48 * hour)
    assert.equal(ordersOf('one.test').length, 2)
  })
})

describe('certificates/acme: an order whose authority misbehaves', () => {
  for (const [what, fault] of [
    ['shows the order as ready on one server only', { kind: 'refuses', type: 'orderNotReady' }],
    ['is overloaded when the order is resumed', { kind: 'refuses', type: 'serverInternal' }],
  ] as const)
    it(`${what}: no other order is placed`, async () => {
      const { tick, advance, restart, authority, ordersOf, served } = setUp(['one.test'])
      const isAtFinalize = fault.type === 'orderNotReady'
      if (isAtFinalize) {
        const { finalize } = authority.client
        authority.client.finalize = (order, csr) => {
          authority.client.finalize = finalize
          authority.faults.set('one.test', [fault])
          return finalize(order, csr)
        }
      } else authority.forever.set('one.test', stuck)
      tick()
      await advance(3 * second)
      if (!isAtFinalize) {
        authority.forever.clear()
        authority.faults.set('one.test', [fault])
        restart()
      }
      await advance(3 * minute)
      assert.equal(served.has('one.test'), true)
      assert.equal(ordersOf('one.test').length, 1)
    })
})

describe('certificates/acme: any schedule of faults and restarts', () => {
  const fault: fc.Arbitrary<Fault> = fc.oneof(
    fc.record({ kind: fc.constant('slow' as const), ms: fc.integer({ min: 1, max: 40 * second }) }),
    fc.record({
      kind: fc.constant('refuses' as const),
      type: fc.constantFrom('serverInternal', 'badNonce', 'http503'),
    }),
    fc.record({
      kind: fc.constant('refuses' as const),
      type: fc.constant('rateLimited'),
      retryAfterMs: fc.integer({ min: 1, max: hour }),
    }),
    ...(['cut', 'lost', 'lies', 'invalidates', 'forgets'] as const).map(kind => fc.constant<Fault>({ kind })),
  )
  // more than have a place at the same time
  const troubled = ['a.test', 'b.test', 'c.test', 'd.test', 'e.test']

  const verySlow: Fault = { kind: 'slow', ms: 40 * second }

  /** No call follows a failure before its backoff, or before the authority wants one. */
  function checkPauses({ failures, authority: { calls } }: ReturnType<typeof setUp>): void {
    for (const { name, at, calls: before, inRow } of failures) {
      const next = calls.slice(before).find(call => call.name === name)
      if (!next) continue
      const fault = calls.slice(0, before).findLast(call => call.name === name)?.fault
      const asked = fault?.kind === 'refuses' ? fault.retryAfterMs : undefined
      const own = asked !== undefined && inRow === 1 ? 0 : Math.min(minute * 2 ** (inRow - 1), 6 * hour)
      const paused = next.at - at
      assert.ok(paused >= Math.max(own, asked ?? 0), `${name} tried again after ${paused} ms, failure ${inRow}`)
    }
  }
  const schedule = fc.record({
    faults: fc.array(fc.array(fault, { maxLength: 12 }), { minLength: troubled.length, maxLength: troubled.length }),
    restarts: fc.array(fc.integer({ min: 1, max: 20 * minute }), { maxLength: 6 }),
  })

  it('keeps what is served, delays no other name, bounds the orders, and resumes', async () => {
    await fc.assert(
      fc.asyncProperty(schedule, async ({ faults, restarts }) => {
        const names = [...troubled, 'good.test']
        const world = setUp(names)
        const { acme, tick, advance, restart, authority, ordersOf, served, published, store } = world
        for (const [index, name] of troubled.entries()) authority.faults.set(name, [...(faults[index] ?? [])])
        const seen = new Map<string, string>()
        const check = () => {
          for (const [name, id] of served) {
            assert.ok(store.current(name) && acme().certificate(name), `${name} has no certificate any more`)
            seen.set(name, id)
          }
          for (const name of names) {
            const hourly = ordersOf(name).map(({ at }) => ordersOf(name).filter(o => o.at >= at && o.at < at + hour))
            for (const some of hourly) assert.ok(some.length <= 8, `${some.length} orders for ${name} in an hour`)
          }
        }
        tick()
        const first = restarts[0] ?? 30 * second
        await advance(Math.min(first, 12 * second))
        if (first >= 12 * second) assert.ok(served.has('good.test'), 'good.test waited for the others')
        for (const ms of restarts) {
          restart()
          await advance(ms)
          check()
        }
        await advance(2 * hour)
        check()
        await advance(48 * hour)
        check()
        const checkOrders = (issued: number) => {
          for (const name of names) {
            assert.ok(served.has(name), `${name} never got a certificate`)
            const unavoidable = issued + (authority.lostOrders.get(name) ?? 0)
            assert.ok(
              ordersOf(name).length <= unavoidable,
              `${ordersOf(name).length} orders for ${name}, not ${unavoidable}`,
            )
          }
        }
        checkOrders(1)
        const initial = new Map(served)
        for (const [index, name] of troubled.entries()) authority.faults.set(name, [...(faults[index] ?? [])])
        await advance(65 * 24 * hour)
        check()
        checkOrders(2)
        for (const [name, id] of initial) assert.notEqual(served.get(name), id, `${name} was not renewed`)
        checkPauses(world)
        assert.deepEqual([...published], [])
      }),
      { numRuns: 40, examples: [[{ faults: troubled.map(() => [verySlow]), restarts: [] }]] },
    )
  })
})
