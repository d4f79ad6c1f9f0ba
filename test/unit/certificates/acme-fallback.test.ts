import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { hour, minute, setUp } from './acme-service-world.ts'
import type { Fault } from './fake-authority.ts'

const day = 24 * hour
const name = 'one.test'
const withFallback = { hasFallback: true }

/** A CA that has issued a certificate, which is due for renewal. */
async function untilDue() {
  const world = setUp([name], withFallback)
  world.tick()
  await world.advance(minute)
  assert.equal(world.served.get(name), `${name}#0`)
  await world.advance(50 * day)
  return world
}

describe('certificates/acme: a fallback CA', () => {
  const failures: [string, Fault][] = [
    ['cannot be reached', { kind: 'cut' }],
    ['is down', { kind: 'refuses', type: 'http503', retryAfterMs: minute }],
    ['fails', { kind: 'refuses', type: 'serverInternal' }],
    ['never finishes an order', { kind: 'lies' }],
  ]
  for (const [what, fault] of failures) {
    it(`issues when the first one ${what}, and the first one renews`, async () => {
      const { tick, advance, authority, fallback, served, ordersOf, lines } = setUp([name], withFallback)
      authority.forever.set(name, fault)
      tick()
      await advance(30 * minute)
      assert.equal(served.get(name), `other ${name}#0`)
      assert.deepEqual(lines.filter(line => line.includes('at the fallback')).length, 1)
      authority.forever.clear()
      const before = ordersOf(name).length
      await advance(70 * day)
      assert.equal(served.get(name), `${name}#${before}`)
      assert.equal(fallback.orders.length, 1)
    })
  }

  const ownFaults: [string, Fault][] = [
    ['does not validate the name', { kind: 'invalidates' }],
    ['limits the rate', { kind: 'refuses', type: 'rateLimited', retryAfterMs: hour }],
    ['limits the rate without a problem document', { kind: 'refuses', type: 'http429' }],
    ['rejects the name', { kind: 'refuses', type: 'rejectedIdentifier' }],
    ['refuses by a CAA record', { kind: 'refuses', type: 'caa' }],
    ['rejects the account', { kind: 'refuses', type: 'unauthorized' }],
    ['wants the operator to act', { kind: 'refuses', type: 'userActionRequired' }],
  ]
  for (const [what, fault] of ownFaults) {
    it(`is not asked when the first one ${what}`, async () => {
      const { tick, advance, authority, fallback } = setUp([name], withFallback)
      authority.forever.set(name, fault)
      tick()
      await advance(5 * day)
      assert.equal(fallback.orders.length, 0)
    })
  }

  it('is asked later while a valid certificate is in use', async () => {
    const { advance, authority, fallback, served, ordersOf } = await untilDue()
    authority.forever.set(name, { kind: 'cut' })
    await advance(11 * day)
    assert.deepEqual([fallback.orders.length, served.get(name)], [1, `other ${name}#0`])
    assert.equal(ordersOf(name).length, 1)
    assert.ok((fallback.orders[0]?.at ?? 0) - (authority.orders[0]?.at ?? 0) > 60 * day + 4 * hour)
  })

  it('takes turns with the first one when both fail, with few orders', async () => {
    const { tick, advance, authority, fallback, served, ordersOf } = setUp([name], withFallback)
    for (const { forever } of [authority, fallback]) forever.set(name, { kind: 'lies' })
    tick()
    await advance(2 * day)
    const placed = [ordersOf(name).length, fallback.orders.length]
    assert.ok(Math.min(...placed) > 1 && Math.max(...placed) < 12, `${placed}`)
    authority.forever.clear()
    await advance(day)
    assert.match(served.get(name) ?? '', /^one\.test/)
  })

  it('finishes its order after a restart', async () => {
    const { tick, advance, restart, authority, fallback, served } = setUp([name], withFallback)
    authority.forever.set(name, { kind: 'cut' })
    fallback.forever.set(name, { kind: 'slow', ms: hour })
    tick()
    await advance(20 * minute)
    fallback.forever.clear()
    restart()
    await advance(2 * minute)
    assert.match(served.get(name) ?? '', /^other/)
    assert.ok(fallback.orders.length <= 1 + (fallback.lostOrders.get(name) ?? 0))
  })

  it('leaves nothing behind at the first one when it is no longer configured', async () => {
    const { tick, advance, restart, authority, fallback, served, store } = setUp([name], withFallback)
    authority.forever.set(name, { kind: 'cut' })
    fallback.forever.set(name, { kind: 'lies' })
    tick()
    await advance(8 * minute)
    assert.match(store.record(name)?.pendingOrder ?? '', /^other/)
    authority.forever.clear()
    const asked: string[] = []
    const { order } = authority.client
    authority.client.order = url => {
      asked.push(url)
      return order(url)
    }
    restart(false)
    await advance(30 * minute)
    assert.deepEqual([served.get(name), asked.filter(url => url.startsWith('other'))], [`${name}#0`, []])
  })
})
