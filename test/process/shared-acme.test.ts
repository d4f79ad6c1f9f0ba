// needs: pebble redis-server
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { makeCertificate } from '../make-certificate.ts'
import { type Authority, startAuthority, type Tamper } from './acme-authority.ts'
import { type CaFault, createFaultyCa } from './acme-faults.ts'
import { cert, serialOf } from './acme-monohull.ts'
import { ask, defer, type Monohull, startMonohull, temporaryFolder, until } from './monohull.ts'
import { startRedisProxy } from './redis-proxy.ts'
import { type RedisServer, startRedis } from './redis-server.ts'

const site = 'https: on\nroutes: [{ path: /, response: { status: 200, body: ok } }]\n'
const claimedHere = (name: string) => new RegExp(`shared certificate locked by this instance name=${name} `)

interface Options {
  /** Whether it gets the challenges of the CA. */
  isReached?: boolean
  url?: string
  folder?: string
  env?: Record<string, string>
}

interface World {
  authority: Authority
  redis: RedisServer
  /** Instance that gets the challenges of the CA, for all names. */
  gate: Monohull
  /** One more instance, with a state directory of its own. */
  start(t: TestContext, domains: string, options?: Options): Monohull
}

async function createWorld(t: TestContext): Promise<World> {
  const [authority, redis] = await Promise.all([startAuthority(t), startRedis(t)])
  const started = new Map<TestContext, Monohull[]>()
  const start: World['start'] = (context, domains, { isReached = false, url = redis.store, folder, env } = {}) => {
    const { MONOHULL_HTTP_PORT: port = '0', ...others } = authority.env
    const monohull = startMonohull(context, {
      ...(folder === undefined ? { files: { 'monohull.yaml': site } } : { folder }),
      env: {
        ...others,
        MONOHULL_HTTP_PORT: isReached ? port : '0',
        MONOHULL_TLS_ACME_DOMAINS: domains,
        MONOHULL_SHARED_STATE_URL: url,
        MONOHULL_SHARED_STATE_SECRET: 's'.repeat(32),
        MONOHULL_SHARED_STATE_LEASE: '1s',
        MONOHULL_LOG_LEVEL: 'debug',
        ...env,
      },
    })
    // all at once, before each is waited for
    const mates = started.get(context) ?? []
    started.set(context, [...mates, monohull])
    defer(context, () => started.get(context)?.forEach(each => void each.signal('SIGINT')))
    return monohull
  }
  // it orders nothing, because it has a certificate
  const folder = temporaryFolder(t, { 'monohull.yaml': site })
  makeCertificate(join(folder, 'certs'), 'gate.test', { chain: 'fullchain.pem', key: 'privkey.pem' })
  const gate = start(t, 'gate.test', { isReached: true, folder })
  await isReady(gate)
  return { authority, redis, gate, start }
}

const ordersFor = ({ orders }: Authority, name: string) =>
  orders.filter(({ identifiers }) => identifiers[0]?.value === name).length

async function isReady(monohull: Monohull): Promise<void> {
  await monohull.serving()
  await until('readiness', async () => (await monohull.request({ path: '/readyz' })).status === 200, {
    details: () => monohull.output().slice(-3000),
  })
}

/** Settles with the serial number once all instances present the same certificate of the CA for a name. */
async function sameEverywhere(instances: readonly Monohull[], name: string): Promise<string> {
  return until(
    `one certificate for ${name}`,
    async () => {
      // cheap, and first: handshakes with all of them take the CPU from the order
      if (!instances.some(each => new RegExp(`certificate issued names=${name} `).test(each.output()))) return undefined
      const serials = new Set(await Promise.all(instances.map(each => serialOf(each, name).catch(() => ''))))
      const [serial = ''] = serials
      return serials.size === 1 && serial
    },
    { details: () => instances.map(each => each.output().slice(-3000)).join('\n=====\n') },
  )
}

type Interrupt = (name: string, orderer: Monohull, step: string) => CaFault['kind'] | undefined

/** A CA that lets something happen at the first request of each name for a step. Nothing happens before the orderer is known. */
function interruptOnce(pairs: Map<string, Monohull[]>, interrupt: Interrupt) {
  const interrupted = new Map<string, Monohull>()
  function next(name: string, step: string): CaFault {
    const orderer = pairs.get(name)?.find(each => claimedHere(name).test(each.output()))
    const kind = orderer && !interrupted.has(name) ? interrupt(name, orderer, step) : undefined
    if (!kind || !orderer) return { kind: 'none' }
    interrupted.set(name, orderer)
    return { kind } as CaFault
  }
  const inOrder = createFaultyCa({ keyOf: () => undefined, wait: async () => {}, next })
  const tamper: Tamper = async (path, body, pass) => {
    const step = path.slice(1)
    // it contains no name, and comes before every order
    if (step === 'sign-me-up' && next(nameFor(step), step).kind !== 'none') return undefined
    return inOrder(path, body, pass)
  }
  return { interrupted, tamper }
}

/** Steps at whose first request the orderer is killed, and whether the CA still gets the request. */
const steps: [string, CaFault['kind']][] = [
  ['sign-me-up', 'cut'],
  ['order-plz', 'cut'],
  ['authZ', 'cut'],
  ['chalZ', 'lost'],
  ['finalize-order', 'lost'],
  ['certZ', 'cut'],
]
const nameFor = (step: string) => `${step.toLowerCase()}.test`

async function killOrderers(t: TestContext, { authority, start }: World): Promise<void> {
  const pairs = new Map<string, Monohull[]>()
  const { interrupted: killed, tamper } = interruptOnce(pairs, (name, orderer, step) => {
    const kind = steps.find(([one]) => name === nameFor(one) && step === one)?.[1]
    if (kind) orderer.signal('SIGKILL')
    return kind
  })
  authority.behaviour.tamper = tamper
  for (const [step] of steps) {
    const name = nameFor(step)
    pairs.set(name, [start(t, name), start(t, name)])
    // the others find the account
    if (step === 'sign-me-up') await until('the kill at the registration', () => authority.registered() === 1)
  }
  for (const [name, pair] of pairs) {
    const dead = await until(`the kill at ${name}`, () => killed.get(name), { details: () => pair[0]?.output() ?? '' })
    await dead.exited
    const others = pair.filter(each => each !== dead)
    await sameEverywhere([...others, start(t, name, { folder: dead.folder })], name)
    // the first one for order-plz.test never reached the CA
    assert.equal(ordersFor(authority, name), name === nameFor('order-plz') ? 2 : 1, name)
  }
  assert.equal(authority.registered(), 1)
}

async function freezeAndCutOff(t: TestContext, { authority, redis, start }: World): Promise<void> {
  const proxy = await startRedisProxy(t, redis.socket)
  const pairs = new Map<string, Monohull[]>()
  const { interrupted, tamper } = interruptOnce(pairs, (name, orderer, step) => {
    if (step !== 'chalZ') return undefined
    if (name === 'frozen.test') orderer.signal('SIGSTOP')
    proxy.behaviour.isClosed ||= name === 'cut.test'
    if (name === 'cut.test') proxy.cut()
    // the request itself is passed on
    return 'asks'
  })
  authority.behaviour.tamper = tamper
  pairs.set('frozen.test', [start(t, 'frozen.test'), start(t, 'frozen.test')])
  const cut = start(t, 'cut.test', { url: proxy.store })
  pairs.set('cut.test', [cut])
  await until('the orderer to be cut off', () => interrupted.has('cut.test'))
  const other = start(t, 'cut.test')
  await other.serving()
  await sameEverywhere([other], 'cut.test')
  const frozen = await until('the frozen orderer', () => interrupted.get('frozen.test'))
  const next = pairs.get('frozen.test')?.find(each => each !== frozen)
  assert.ok(next)
  await sameEverywhere([next], 'frozen.test')
  await until('the end of the order', async () => (await redis.cli('keys', '*lock:acme/*/frozen.test/*')) === '')
  const record = await redis.cli('keys', '*record:acme/configured/frozen.test/*')
  const before = await redis.cli('hgetall', record)

  const from = frozen.output().length
  frozen.signal('SIGCONT')
  proxy.behaviour.isClosed = false
  // both find out, write nothing, and serve what the others obtained
  await frozen.seen(/certificate obtained by another instance/, from)
  await sameEverywhere([next, frozen], 'frozen.test')
  await sameEverywhere([other, cut], 'cut.test')
  assert.equal(await redis.cli('hgetall', record), before)
  assert.deepEqual([ordersFor(authority, 'frozen.test'), ordersFor(authority, 'cut.test')], [1, 1])
  assert.equal((await frozen.request()).body, 'ok')
}

async function askForChallenges({ redis, gate }: World): Promise<void> {
  const get = (token: string) =>
    ask(gate.instance().httpPort, { path: `/.well-known/acme-challenge/${token}`, scheme: 'http' })
  const reads = async () => /cmdstat_hmget:calls=(\d+)/.exec(await redis.cli('info', 'commandstats'))?.[1]
  await redis.cli('hset', 'monohull:{state}:record:acme-challenge/abc_-1', 'value', 'abc_-1.proof', 'version', '1')
  const { status, body, headers } = await get('abc_-1')
  assert.deepEqual([status, body, headers['content-type']], [200, 'abc_-1.proof', 'text/plain'])
  assert.equal((await get('unknown')).status, 404)
  const before = await reads()
  for (const token of ['a.b', 'a%0d%0ab', '', 'x'.repeat(300)])
    assert.ok([403, 404].includes((await get(token)).status), token)
  await gate.request()
  assert.equal(await reads(), before)
}

async function obtainOnDemand(t: TestContext, { authority, gate, start }: World): Promise<void> {
  // it allows every name
  const env = { MONOHULL_TLS_ON_DEMAND_ASK: `http://127.0.0.1:${gate.instance().httpPort}/healthz` }
  const two = [start(t, 'gate.test', { env }), start(t, 'gate.test', { env })]
  for (const each of two) await isReady(each)
  const [first, second] = await Promise.all(two.map(each => serialOf(each, 'demand.test')))
  assert.equal(first, second)
  assert.equal(ordersFor(authority, 'demand.test'), 1)
}

async function outliveRedis(t: TestContext, { authority, redis, start }: World): Promise<void> {
  const five = [1, 2, 3, 4, 5].map(() => start(t, 'one.test'))
  await Promise.all(five.map(each => each.serving()))
  const first = await sameEverywhere(five, 'one.test')
  assert.equal(ordersFor(authority, 'one.test'), 1)
  assert.equal(authority.registered(), 1)
  // a renewal by one of them, whichever
  assert.equal((await cert(t, five[1] as Monohull, 'renew', 'one.test', '--force')).code, 0)
  const serial = await until('the renewed certificate', async () => {
    const now = await sameEverywhere(five, 'one.test')
    return now !== first && now
  })
  assert.equal(ordersFor(authority, 'one.test'), 2)
  // nothing in Redis can be used without the secret
  const keys = (await redis.cli('keys', '*record:acme*')).split('\n')
  assert.ok(keys.some(key => key.includes('record:acme/configured/one.test/')))
  for (const key of keys.filter(one => !one.includes('acme-challenge')))
    assert.doesNotMatch(await redis.cli('hget', key, 'value'), /BEGIN|directory/)

  // an instance without any state serves it before it is ready
  const fresh = start(t, 'one.test')
  await isReady(fresh)
  assert.equal(await serialOf(fresh, 'one.test'), serial)

  // with Redis down, an instance starts with what it has, and orders nothing
  await redis.kill()
  const [last] = five.slice(-1) as [Monohull]
  last.signal('SIGTERM')
  await last.exited
  const again = start(t, 'one.test,two.test', { folder: last.folder })
  await again.seen(/cannot read shared certificates, using those in state_dir/)
  await isReady(again)
  assert.equal((await again.request()).body, 'ok')
  assert.equal(ordersFor(authority, 'two.test'), 0)
  // Redis comes back without its data
  await redis.start()
  await until('what was lost is shared again', async () => (await redis.cli('keys', '*')).includes('/one.test/'))
  assert.equal(ordersFor(authority, 'one.test'), 2)
}

describe('a certificate that instances share', () => {
  it('is ordered once, whatever happens to an instance or to Redis', async t => {
    const world = await createWorld(t)
    await t.test('is obtained by another one if the orderer is killed, at whichever step', one =>
      killOrderers(one, world),
    )
    await t.test('is not touched by an orderer that was frozen or cut off past its lease', one =>
      freezeAndCutOff(one, world),
    )
    world.authority.behaviour.tamper = undefined
    await t.test('has its challenges answered by each; nothing else is asked of Redis', () => askForChallenges(world))
    await t.test('may be one that is obtained at its first handshake', one => obtainOnDemand(one, world))
    await t.test('is served by five that start at once; it outlives each of them, and Redis', one =>
      outliveRedis(one, world),
    )
  })
})
