// needs: iproute2 iptables redis-server
// before a release: half a minute of a core
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { shop, startDynamic, who } from './dynamic-monohull.ts'
import { freePorts } from './free-ports.ts'
import { fixture, until } from './monohull.ts'
import { createNetwork, withoutNetworks } from './network.ts'
import { redis, startServer } from './redis-server.ts'
import { acquired, join } from './shared-states.ts'

const lease = 6000

/** Redis on a machine of its own, and cables to it for two replicas. */
async function startElsewhere(t: TestContext) {
  const network = await createNetwork(t)
  const [one, two] = [await network.connect(), await network.connect()]
  const [port = 0] = await freePorts(1)
  const kind = { ...redis, through: network.through }
  const server = await startServer(t, kind, '--port', String(port), '--bind', '*', '--protected-mode', 'no')
  const storeAt = ({ address }: { address: string }) => `redis://${address}:${port}`
  return { server, one, stores: [storeAt(one), storeAt(two)] as [string, string] }
}

/** Time until a promise settles, in ms. */
async function timeOf(work: Promise<unknown>): Promise<number> {
  const begun = performance.now()
  await work.catch(() => {})
  return Math.round(performance.now() - begun)
}

describe('a replica whose packets to Redis vanish', { skip: withoutNetworks }, () => {
  it('notices it, loses its locks before others get them, writes nothing, and recovers', async t => {
    const { server, one: cable, stores } = await startElsewhere(t)
    const [cut, other] = await Promise.all(stores.map(store => join(t, store, { keys: { lease } })))
    assert.ok(cut && other)
    const lock = await acquired(cut, 'x')
    assert.equal((await cut.write('r', 'before', { lock })).kind, 'written')
    const all: unknown[] = []
    cut.watch('', name => all.push(name))

    await cable.cut()
    const cutAt = performance.now()
    const since = () => Math.round(performance.now() - cutAt)
    // sent, and lost or not: nobody can know
    const write = cut.write('r', 'during', { lock }).catch((error: Error) => error.message)
    const toNotice = until('the outage', () => cut.problem()).then(since)
    const toLose = until('the loss', () => lock.signal.aborted).then(since)
    const next = acquired(other, 'x').then(got => ({ got, wasLost: lock.signal.aborted, atMs: since() }))
    assert.match(String(await write), /no response for 1\.5 s/)
    const noticedMs = await toNotice
    // once it is known, nothing waits
    const rejectedMs = await timeOf(cut.read('r'))
    const { got, wasLost, atMs } = await next
    const lostMs = await toLose
    t.diagnostic(`noticed after ${noticedMs} ms, lock lost after ${lostMs} ms, passed on after ${atMs} ms`)
    assert.ok(wasLost, `passed on after ${atMs} ms, lost after ${lostMs} ms`)
    assert.ok(noticedMs < 8000, `noticed after ${noticedMs} ms`)
    assert.ok(rejectedMs < 1600, `rejected after ${rejectedMs} ms`)
    assert.equal((await other.write('r', 'second', { lock: got })).kind, 'written')

    await cable.restore()
    const restoredAt = performance.now()
    await until('the connection', () => cut.problem() === undefined)
    t.diagnostic(`connected ${Math.round(performance.now() - restoredAt)} ms after the network was back`)
    assert.deepEqual(await cut.write('r', 'late', { lock }), { kind: 'lost' })
    await until('the report that anything may have changed', () => all.includes(undefined))
    assert.equal((await cut.read('r'))?.value, 'second')
    // what was sent before the cut has not arrived late
    assert.equal(await server.cli('hget', 'monohull:{state}:record:r', 'value'), 'second')
  })

  it('serves the hosts that it knows, answers 503 for others in time, and follows what was changed', async t => {
    const { server, one: cable, stores } = await startElsewhere(t)
    for (const host of [shop, 'gone.example.com']) await server.cli('set', host, 'web')
    const app = 'apps: { web: { command: [node, APP], workers: 1, env: { NAME: web } } }'
    const file = `https: on\n${app.replace('APP', fixture('who.cjs'))}\ndynamic_routes: { store: "${stores[0]}" }\nshared_state: { url: "${stores[0]}" }\n`
    const monohull = await startDynamic(t, { files: { 'monohull.yaml': file } })
    await monohull.seen(/reading dynamic routes from Redis/)
    for (const host of [shop, 'gone.example.com']) assert.equal(await who(monohull, host), 'web')
    const from = monohull.output().length
    await cable.cut()
    const unknown = performance.now()
    assert.equal(await who(monohull, 'never.example.com'), '503')
    const unknownMs = Math.round(performance.now() - unknown)
    assert.equal(await who(monohull), 'web')
    await monohull.seen(/cannot read dynamic routes from Redis .*no response for 3 s/, from)
    await monohull.seen(/cannot reach the shared state .*no response for 3 s/, from)
    const quick = await timeOf(who(monohull, 'never2.example.com'))
    t.diagnostic(`503 for unknown hosts after ${unknownMs} ms at first, then ${quick} ms`)
    assert.ok(unknownMs < 4000 && quick < 2000)
    await server.cli('del', 'gone.example.com')
    assert.deepEqual([await who(monohull), await who(monohull, 'gone.example.com')], ['web', 'web'])
    await cable.restore()
    await until('the change', async () => (await who(monohull, 'gone.example.com')) === '403')
    assert.equal(await who(monohull), 'web')
  })
})
