import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { AccountStore } from '../../../supervisor/certificates/acme/adapters/account.ts'
import type { AcmePlan, AcmeSettings } from '../../../supervisor/certificates/acme/plan.ts'
import { createAcme } from '../../../supervisor/certificates/acme/service.ts'
import { createSharedAccount } from '../../../supervisor/certificates/acme/shared/account.ts'
import { createSharedCertificates } from '../../../supervisor/certificates/acme/shared/certificates.ts'
import { createTurns } from '../../../supervisor/certificates/acme/turns.ts'
import { createHandClock } from '../hand-clock.ts'
import { createMemoryState } from '../shared-state/memory-state.ts'
import { createFakeAuthority, createFakeKeys, createFakeStore } from './fake-authority.ts'

const { signal } = new AbortController()
const minute = 60_000

/** Instances with a store of their own each, and a CA. */
function setUp() {
  const { clock, advance } = createHandClock()
  const failures: string[] = []
  const fail = (message: string) => void failures.push(message)
  const log = { debug() {}, info() {}, warn: fail, error: fail }
  const { state, world, locks } = createMemoryState()
  const authority = createFakeAuthority(clock)
  let windows = 0

  function start(change: Partial<AcmeSettings> = {}) {
    const { store } = createFakeStore()
    const plans: AcmePlan[] = [{ name: 'a.test', domains: ['a.test'] }]
    const settings = { plans, challenge: 'http-01', ...change } as unknown as AcmeSettings
    const served: string[] = []
    const peers = createSharedCertificates({
      ...{ state, clock, log, store, settings, prefix: 'acme/' },
      onNews: () => acme.tick(),
    })
    const acme = createAcme({
      ...{ keys: createFakeKeys(), store, clock, log, peers, settings, signal },
      client: {
        ...authority.client,
        async renewalInfo() {
          windows++
          return undefined
        },
      },
      solver: { type: 'http-01', present: async () => {}, remove: async () => {} },
      turns: createTurns({ clock, places: 4, patienceMs: 2000 }),
      random: () => 0,
      preflight: async () => undefined,
      isCovered: () => false,
      async serve(_plan, { certificate }) {
        served.push(certificate.id)
        return { ok: true, message: '' }
      },
    })
    return { acme, peers, store, served, plans }
  }

  /** Lets instances begin, and everything end that follows. */
  async function begin(...all: ReturnType<typeof start>[]): Promise<void> {
    for (const { peers, plans } of all) await peers.sync(plans)
    for (const { acme } of all) void acme.tick()
    await advance(5000)
  }
  return { failures, state, world, locks, authority, clock, advance, start, begin, windows: () => windows }
}

describe('certificates/acme/shared/certificates', () => {
  it('places one order, asks once when to renew, and has all serve it; who comes later gets it', async () => {
    const { authority, start, begin, advance, windows } = setUp()
    const all = [start(), start(), start()]
    await begin(...all)
    const late = start()
    await begin(late)
    assert.equal(authority.orders.length, 1)
    const [first] = all[0]?.served ?? []
    for (const { served } of [...all, late]) assert.deepEqual([...new Set(served)], [first])
    const asked = windows()
    // the CA asks to be asked again after six hours
    await advance(6 * 60 * minute + 1000)
    for (let count = 0; count < 2; count++) {
      for (const { acme } of [...all, late]) void acme.tick()
      await advance(1000)
    }
    assert.equal(windows(), asked + 1)
  })

  it('waits as long as the instance that failed', async () => {
    const { authority, clock, start, begin } = setUp()
    authority.forever.set('a.test', { kind: 'refuses', type: 'rejectedIdentifier' })
    const all = [start(), start(), start()]
    await begin(...all)
    await begin(...all)
    assert.equal(authority.calls.length, 1)
    for (const { acme } of all) {
      const [status] = acme.status()
      assert.ok(status?.lastError)
      assert.ok((status?.nextAt ?? 0) > clock.now())
    }
  })

  it('orders nothing and records no failure while Redis is unavailable, and goes on after that', async () => {
    const { authority, failures, world, start, advance } = setUp()
    const { acme, store } = start()
    world.isDown = true
    await acme.tick()
    assert.deepEqual([authority.calls.length, store.record('a.test'), failures], [0, undefined, []])
    const outcome = await acme.renew('a.test', 'forced')
    assert.ok(!outcome.ok && /Redis is down/.test(outcome.reason))
    world.isDown = false
    void acme.tick()
    await advance(5000)
    assert.equal(authority.orders.length, 1)
  })

  it('stops an order whose lock was lost before the next step, without a failure, and another goes on with it', async () => {
    const { authority, failures, locks, start, begin, advance } = setUp()
    const [one, other] = [start(), start()]
    authority.faults.set('a.test', [{ kind: 'slow', ms: minute }])
    await begin(one)
    // as if it had been frozen for longer than the lease
    locks.clear()
    await begin(other)
    assert.equal(other.served.length > 0, true)
    const record = JSON.stringify(other.store.record('a.test'))
    await advance(2 * minute)
    assert.equal(JSON.stringify(one.store.record('a.test')), record)
    assert.deepEqual(failures, [])
    // as every ten seconds
    void one.acme.tick()
    await advance(1000)
    assert.equal(JSON.stringify(other.store.record('a.test')), record)
    assert.deepEqual(one.served.at(-1), other.served.at(-1))
    // the request that was under way reached the CA
    assert.equal(authority.orders.length, 2)
    assert.equal(authority.orders.filter(({ isFinal }) => isFinal).length, 1)
  })

  it('keeps certificates with other settings apart, as during an update', async () => {
    const { authority, start, begin } = setUp()
    const all = [start({ keyType: 'rsa' }), start({ keyType: 'ecdsa' })]
    for (let count = 0; count < 3; count++) await begin(...all)
    assert.equal(authority.orders.length, 2)
  })

  it('offers what it has when Redis has nothing', async () => {
    const { state, world, start, begin } = setUp()
    const names = new Set<string>()
    state.watch('acme/', name => name !== undefined && names.add(name))
    const one = start()
    await begin(one)
    const writes = world.writes
    await Promise.all([...names].map(name => state.remove(name)))
    await one.peers.sync(one.plans)
    assert.equal(world.writes, writes + 1)
  })
})

describe('certificates/acme/shared/account', () => {
  function open(state: ReturnType<typeof createMemoryState>['state'], own: string[]) {
    const { clock } = createHandClock()
    const inUse: string[] = []
    const local: AccountStore = {
      key: async () => own.shift() ?? assert.fail('no more keys are created'),
      adopt: key => void inUse.push(key),
      retireKey() {},
      load: () => ({ url: undefined, email: undefined }),
      save() {},
    }
    return { ...createSharedAccount({ state, clock, signal, local, directory: 'https://ca.test/dir' }), inUse }
  }

  it('has one key for all instances, also after the CA has refused it', async () => {
    const { state } = createMemoryState()
    const [one, other] = [open(state, ['first', 'second']), open(state, [])]
    assert.deepEqual([await one.key(), await other.key(), await one.key()], ['first', 'first', 'first'])
    one.retireKey('refused')
    assert.deepEqual([await one.key(), await other.key()], ['second', 'second'])
    assert.equal(other.inUse.at(-1), 'second')
  })

  it('is not created by two at once, nor while Redis is unavailable', async () => {
    const { state, world } = createMemoryState()
    const [one, other] = [open(state, ['first']), open(state, ['another'])]
    world.isDown = true
    await assert.rejects(one.key(), /Redis is down/)
    world.isDown = false
    const [key] = await Promise.all([one.key(), Promise.race([other.key(), new Promise(setImmediate)])])
    assert.deepEqual([key, await open(state, []).key()], ['first', 'first'])
  })
})
