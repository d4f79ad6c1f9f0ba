// needs: pebble
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import fc from 'fast-check'
import { startAuthority } from './acme-authority.ts'
import type { CaFault } from './acme-faults.ts'
import { createWorld, serveChallenges } from './acme-world.ts'

const minute = 60_000
const hour = 60 * minute
/** bench/acme-schedules.sh tries more of them. */
const runs = Number(process.env.ACME_SCHEDULES ?? 4)
const seed = process.env.ACME_SEED === undefined ? {} : { seed: Number(process.env.ACME_SEED) }

const kinds = [
  'none',
  'cut',
  'lost',
  'cutBody',
  'notJson',
  'empty',
  'badNonce',
  'noNonce',
  'wrongNonce',
  'stuck',
] as const
const absurd = ['0', '-1', '86400', '99999999999999999999', 'soon', 'Thu, 01 Jan 1970 00:00:00 GMT', '']
const fault: fc.Arbitrary<CaFault> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...kinds).map((kind): CaFault => ({ kind })) },
  fc.integer({ min: 1, max: hour }).map((ms): CaFault => ({ kind: 'slow', ms })),
  fc.constantFrom(...absurd).map((retryAfter): CaFault => ({ kind: 'asks', retryAfter })),
  fc
    .constantFrom('name', 'key', 'expired', 'future', 'leaf', 'garbage')
    .map(what => ({ kind: 'forges', what }) as CaFault),
  fc.record({
    kind: fc.constant('refuses' as const),
    status: fc.constantFrom(400, 403, 404, 409, 429, 500, 503),
    type: fc.constantFrom(undefined, 'rateLimited', 'serverInternal', 'malformed', 'orderNotReady', 'conflict'),
    retryAfter: fc.constantFrom(undefined, ...absurd.slice(0, 3)),
  }),
)
const schedule = fc.record({
  faults: fc.array(fc.array(fault, { maxLength: 14 }), { minLength: 2, maxLength: 2 }),
  restarts: fc.array(fc.integer({ min: 1, max: 10 * minute }), { maxLength: 3 }),
  renewal: fc.array(fault, { maxLength: 8 }),
})

describe('a CA in front of Pebble that delays, reorders, fails or lies at every step', () => {
  it('whatever its schedule, and whenever monohull restarts', async (t: TestContext) => {
    const authority = await startAuthority(t)
    const published = await serveChallenges(t, authority)
    await fc.assert(
      fc.asyncProperty(schedule, async ({ faults, restarts, renewal }) => {
        const troubled = ['a.test', 'b.test']
        const world = createWorld(t, authority, published, [...troubled, 'good.test'])
        const { advance, store, served, orders, restart, acme } = world
        const check = () => {
          for (const name of served.keys()) {
            const { certificate } = store.current(name) ?? assert.fail(`${name} has no certificate any more`)
            assert.ok(certificate.names.includes(name) && certificate.keyMatches, `${name} has a wrong certificate`)
            assert.ok(certificate.notAfter > Date.now() && certificate.notBefore < Date.now(), `${name} is not valid`)
            assert.match(certificate.issuer, /Pebble/)
          }
          for (const { name, at } of orders) {
            const hourly = orders.filter(one => one.name === name && one.at >= at && one.at < at + hour)
            // an order refused for `replaces` is placed again without it
            assert.ok(hourly.length <= 10, `${hourly.length} orders for ${name} in an hour`)
          }
        }
        for (const [index, name] of troubled.entries()) world.faults.set(name, [...(faults[index] ?? [])])
        const [first = hour, ...others] = restarts
        await advance(Math.min(first, 5 * minute))
        if (first >= 5 * minute) assert.ok(served.has('good.test'), 'good.test waited for the others')
        for (const ms of others) {
          restart()
          await advance(ms)
          check()
        }
        await advance(14 * 24 * hour)
        check()
        for (const name of [...troubled, 'good.test']) assert.ok(served.has(name), `${name} never got a certificate`)
        assert.equal(orders.filter(({ name }) => name === 'good.test').length <= 1 + restarts.length, true)
        assert.equal(published.size, 0, 'challenges are left behind')
        world.faults.set('a.test', [...renewal])
        void acme().renew('a.test', 'forced')
        await advance(24 * hour)
        check()
        await world.close()
      }),
      { numRuns: runs, endOnFailure: true, ...seed },
    )
  })
})
