// needs: openssl
import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import type { Clock } from '../../../supervisor/base/clock.ts'
import type { Log } from '../../../supervisor/base/log.ts'
import { createAcmeStore } from '../../../supervisor/certificates/acme/adapters/store.ts'
import type { AcmeClient, AcmeOrder, KeyMaker } from '../../../supervisor/certificates/acme/authority.ts'
import { AcmeError, type AcmeSettings } from '../../../supervisor/certificates/acme/plan.ts'
import { createAcme } from '../../../supervisor/certificates/acme/service.ts'
import { createTurns } from '../../../supervisor/certificates/acme/turns.ts'
import { makeCertificate } from '../../make-certificate.ts'
import { temporaryFolder } from '../../process/monohull.ts'

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour
const settings: AcmeSettings = {
  directory: 'https://ca.test/dir',
  caFile: undefined,
  email: undefined,
  profile: undefined,
  preferredChain: undefined,
  eab: undefined,
  keyType: 'ecdsa',
  challenge: 'http-01',
  dnsHook: undefined,
  plans: [{ name: 'one.test', domains: ['one.test'] }],
}

/** State directory, a CA that issues every certificate or fails, and a clock. `start`: as after a restart. */
function setUp(t: TestContext) {
  const folder = temporaryFolder(t)
  const world = { now: Date.now(), random: 0, orders: 0, windows: 0, failure: undefined as Error | undefined }
  const clock: Clock = { now: () => world.now, monotonic: () => world.now, after: () => () => {} }
  const quiet = () => {}
  const log: Log = { debug: quiet, info: quiet, warn: quiet, error: quiet }
  const issued = { chain: 'chain.pem', key: 'key.pem' }
  const order: AcmeOrder = {
    url: 'order',
    status: 'valid',
    authorizations: [],
    finalize: '',
    certificate: 'certificate',
    problem: undefined,
    retryAfterMs: undefined,
  }
  const unexpected = () => assert.fail('not expected')
  const client: AcmeClient = {
    async newOrder() {
      world.orders++
      if (world.failure) throw world.failure
      return order
    },
    order: unexpected,
    authorization: unexpected,
    keyAuthorization: unexpected,
    respond: unexpected,
    finalize: unexpected,
    certificate: async () => readFileSync(join(folder, issued.chain), 'utf8'),
    async renewalInfo() {
      world.windows++
      return undefined
    },
    time: () => undefined,
  }
  const keys: KeyMaker = {
    async createKey() {
      makeCertificate(folder, 'one.test', { ...issued, days: 90 })
      return readFileSync(join(folder, issued.key), 'utf8')
    },
    createRequest: unexpected,
    certificateId: () => 'id',
  }
  const start = (change: Partial<AcmeSettings> = {}) =>
    createAcme({
      client,
      keys,
      clock,
      log,
      signal: new AbortController().signal,
      turns: createTurns({ clock, places: 4, patienceMs: 2000 }),
      solver: { type: 'http-01', present: unexpected, remove: unexpected },
      peers: { exist: () => false, claim: () => ({ release() {} }) },
      store: createAcmeStore(join(folder, 'state')),
      settings: { ...settings, ...change },
      random: () => world.random,
      preflight: async () => undefined,
      isCovered: () => false,
      serve: async () => ({ ok: true, message: '' }),
    })
  return { world, start, record: join(folder, 'state/one.test/record.json') }
}

describe('certificates/acme: service', () => {
  it('orders once, also across restarts, until two thirds of the lifetime are over', async t => {
    const { world, start } = setUp(t)
    for (const ms of [0, 0, 30 * day, 59 * day - 30 * day]) {
      world.now += ms
      await start().tick()
    }
    assert.equal(world.orders, 1)
    world.now += 2 * day
    await start().tick()
    assert.equal(world.orders, 2)
  })

  it('renews at most once a day, even if the clock is so far ahead that each new certificate is due', async t => {
    const { world, start } = setUp(t)
    await start().tick()
    world.now += 80 * day
    const acme = start()
    for (let count = 0; count < 4 * 24; count++) {
      world.now += hour
      await (count % 2 === 0 ? acme : start()).tick()
    }
    assert.equal(world.orders, 5)
  })

  it('waits from one minute to six hours, longer with each failure, also across restarts', async t => {
    const { world, start } = setUp(t)
    world.failure = new Error('the network is gone')
    const waits: number[] = []
    for (let count = 0; count < 12; count++) {
      await start().tick()
      const acme = start()
      const nextAt = acme.status()[0]?.nextAt ?? 0
      waits.push((nextAt - world.now) / minute)
      world.now = nextAt - 1
      await acme.tick()
      assert.equal(world.orders, count + 1)
      world.now = nextAt
    }
    assert.deepEqual(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 360, 360, 360])
    world.failure = undefined
    await start().tick()
    assert.equal(start().status()[0]?.lastError, undefined)
  })

  it('retries when the CA says, later if that was too early, and after a week at the latest', async t => {
    const { world, start } = setUp(t)
    const waits: number[] = []
    for (const retryAfterMs of [1000, 1000, 2 * hour, 400 * day, Number.POSITIVE_INFINITY]) {
      world.failure = new AcmeError('too many', { type: 'rateLimited', retryAfterMs })
      await start().tick()
      const nextAt = start().status()[0]?.nextAt ?? 0
      waits.push((nextAt - world.now) / minute)
      world.now = nextAt
    }
    assert.deepEqual(waits, [1 / 60, 2, 120, 10_080, 10_080])
    assert.equal(world.orders, 5)
  })

  it('does not wait for a time recorded while the clock was years ahead', async t => {
    const { world, start } = setUp(t)
    world.failure = new Error('the network is gone')
    world.now += 1000 * day
    await start().tick()
    world.failure = undefined
    world.now -= 1000 * day
    await start().tick()
    assert.equal(world.orders, 2)
    world.now += 1000 * day
    await start().renew('one.test', 'due')
    const asked = world.windows
    world.now -= 1000 * day
    await start().tick()
    assert.ok(world.windows > asked, 'the CA is asked for its window again')
  })

  it('orders again for other settings, also after a failure and a restart', async t => {
    const { world, start } = setUp(t)
    await start({ directory: 'https://staging.test/dir' }).tick()
    world.failure = new Error('the CA is down')
    await start().tick()
    assert.equal(world.orders, 2)
    world.failure = undefined
    world.now += hour
    await start().tick()
    assert.equal(world.orders, 3)
    world.now += hour
    await start().tick()
    assert.equal(world.orders, 3)
  })

  it('does not order again because the record was lost or damaged, unless the names differ', async t => {
    const { world, start, record } = setUp(t)
    await start().tick()
    for (const text of ['', 'null', '{"wish"']) {
      writeFileSync(record, text)
      await start().tick()
    }
    rmSync(record)
    await start().tick()
    assert.equal(world.orders, 1)
    rmSync(record)
    await start({ plans: [{ name: 'one.test', domains: ['one.test', 'two.test'] }] }).tick()
    assert.equal(world.orders, 2)
  })

  it('recognizes the certificate of an earlier version', async t => {
    const { world, start, record } = setUp(t)
    await start().tick()
    const { issued, ...earlier } = JSON.parse(readFileSync(record, 'utf8'))
    assert.match(issued, /^[0-9a-f]{16}$/)
    writeFileSync(record, JSON.stringify(earlier))
    await start().tick()
    assert.equal(world.orders, 1)
  })
})
