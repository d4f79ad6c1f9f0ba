// needs: pebble
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { cpSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { type Authority, startAuthority } from './acme-authority.ts'
import { cert, forgetRenewals, issuerOf, startWithAcme, windowOf } from './acme-monohull.ts'
import { freePorts } from './free-ports.ts'
import { defer, fixture, type Monohull, type StartOptions, startMonohull, temporaryFolder, until } from './monohull.ts'
import { presented } from './presented.ts'

/** Whoever knows which names are ours. */
interface Gate {
  url: string
  /** Default: names that begin with `yes`. */
  isAllowed: (name: string) => boolean
  /** Closes connections without an answer. */
  isDown: boolean
  asked: string[]
}

async function startGate(t: TestContext): Promise<Gate> {
  const server = createServer((request, response) => {
    const name = new URL(request.url ?? '', 'http://gate').searchParams.get('domain') ?? ''
    gate.asked.push(name)
    if (gate.isDown) return void request.socket.destroy()
    response.writeHead(gate.isAllowed(name) ? 200 : 404).end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  defer(t, () => {
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/allowed`
  const gate: Gate = { url, isAllowed: name => name.startsWith('yes'), isDown: false, asked: [] }
  return gate
}

async function start(t: TestContext, authority: Authority, gate: Gate, options: StartOptions = {}): Promise<Monohull> {
  const env = { MONOHULL_TLS_ON_DEMAND_ASK: gate.url, ...options.env }
  const monohull = startWithAcme(t, authority, { ...options, env })
  await monohull.serving()
  return monohull
}

const ordersFor = ({ orders }: Authority, name: string) =>
  orders.filter(({ identifiers }) => identifiers.some(({ value }) => value === name)).length

/** `DNS:yes.test`, or why there was no handshake. */
const shown = (monohull: Monohull, name: string) =>
  presented(monohull.instance().httpsPort, name).then(
    ({ subjectAltName }) => subjectAltName ?? '',
    (error: Error) => error.message,
  )

const showsItself = (monohull: Monohull, name: string) =>
  until(`a certificate for ${name}`, async () => (await shown(monohull, name)) === `DNS:${name}`, {
    details: monohull.output,
  })

describe('a certificate at the first handshake for a name', { concurrency: 3 }, () => {
  it('is obtained while that handshake waits, if it is allowed; a restart does not order it again', async t => {
    const authority = await startAuthority(t)
    const gate = await startGate(t)
    const monohull = await start(t, authority, gate)
    assert.equal(await shown(monohull, 'yes.shop.test'), 'DNS:yes.shop.test')
    assert.match(await issuerOf(monohull, 'yes.shop.test'), /Pebble/)
    assert.deepEqual(gate.asked, ['yes.shop.test'])
    assert.equal((await monohull.request({ headers: { host: 'yes.shop.test' } })).status, 200)
    monohull.signal('SIGTERM')
    await monohull.exited

    gate.isDown = true
    const again = await start(t, authority, gate, { folder: monohull.folder })
    assert.equal(await shown(again, 'YES.shop.test'), 'DNS:yes.shop.test')
    assert.equal(ordersFor(authority, 'yes.shop.test'), 1)
    assert.equal(gate.asked.length, 1)
  })

  it('is served from the first moment of a start, before the app is ready', async t => {
    const authority = await startAuthority(t)
    const monohull = await start(t, authority, await startGate(t))
    await showsItself(monohull, 'yes.shop.test')
    monohull.signal('SIGTERM')
    await monohull.exited

    const [port = 0] = await freePorts(1)
    const env = {
      ...authority.env,
      MONOHULL_HTTPS_PORT: String(port),
      MONOHULL_TLS_ON_DEMAND_ASK: 'http://127.0.0.1:1/',
    }
    const folder = temporaryFolder(t)
    cpSync(join(monohull.folder, 'state'), join(folder, 'state'), { recursive: true })
    startMonohull(t, { folder, args: ['run', 'node', fixture('silent.cjs')], env })
    const names = await until('a handshake', () =>
      presented(port, 'yes.shop.test').then(
        ({ subjectAltName }) => subjectAltName,
        () => undefined, // nobody listens yet
      ),
    )
    assert.equal(names, 'DNS:yes.shop.test')
  })

  it('is refused by an alert if it is not allowed, without asking again', async t => {
    const authority = await startAuthority(t)
    const gate = await startGate(t)
    const monohull = await start(t, authority, gate)
    for (let attempt = 1; attempt <= 3; attempt++) assert.match(await shown(monohull, 'no.shop.test'), /alert/)
    assert.deepEqual(gate.asked, ['no.shop.test'])
    assert.equal(ordersFor(authority, 'no.shop.test'), 0)
  })

  it('is for host names only: anything else gets the default certificate, and names of tls.acme until theirs is issued', async t => {
    const authority = await startAuthority(t)
    authority.behaviour.isDown = true
    const gate = await startGate(t)
    const monohull = await start(t, authority, gate)
    const others = [undefined, 'localhost', 'under_score.test', 'a..test', '-.test', 'yes.127.0.0.1', 'one.test']
    for (const name of others) {
      const { subjectAltName } = await presented(monohull.instance().httpsPort, name ?? '')
      assert.match(subjectAltName ?? '', /DNS:localhost/, name)
    }
    assert.deepEqual(gate.asked, [])
  })

  it('is refused while the endpoint is down, which is logged once, and obtained once it is back', async t => {
    const gate = await startGate(t)
    gate.isDown = true
    const monohull = await start(t, await startAuthority(t), gate)
    assert.match(await shown(monohull, 'yes.shop.test'), /alert/)
    assert.match(await shown(monohull, 'yes.other.test'), /alert/)
    await monohull.seen(/tls\.on_demand\.ask fails: names without a certificate are refused .*does not respond/)
    assert.equal(monohull.output().match(/names without a certificate are refused .*does not respond/g)?.length, 1)
    gate.isDown = false
    await showsItself(monohull, 'yes.shop.test')
    await monohull.seen(/tls\.on_demand\.ask responds again/)
  })

  it('is ordered only within the limits, whatever is requested, and existing ones stay in use', async t => {
    const authority = await startAuthority(t)
    const gate = await startGate(t)
    const env = { MONOHULL_TLS_ON_DEMAND_ORDERS_PER_HOUR: '4', MONOHULL_TLS_ON_DEMAND_ORDERS_PER_DOMAIN: '2' }
    const monohull = await start(t, authority, gate, { env })
    const ofOneDomain = ['yes1.shop.test', 'yes2.shop.test', 'yes3.shop.test', 'yes4.shop.test']
    await Promise.all(ofOneDomain.map(name => shown(monohull, name)))
    const ordered = () => authority.orders.filter(order => order.identifiers[0]?.value.startsWith('yes'))
    await until('two orders', () => ordered().length === 2)
    await monohull.seen(/too many certificates are requested.*limit=orders_per_domain/)
    const names = Array.from({ length: 200 }, (_, index) => `yes.storm-${index}.test`)
    await Promise.all(names.map(name => shown(monohull, name)))
    await until('four orders', () => ordered().length === 4, { details: monohull.output })
    for (const name of ofOneDomain) await shown(monohull, name)
    assert.equal(ordered().length, 4)
    await until('two certificates of the first domain', async () => {
      const all = await Promise.all(ofOneDomain.map(name => shown(monohull, name)))
      return all.filter(found => found.startsWith('DNS:')).length === 2
    })
  })

  it('is renewed with the others while it is allowed, and dropped when it is not', async t => {
    const authority = await startAuthority(t)
    authority.behaviour.window = windowOf(-2, -1)
    const gate = await startGate(t)
    const monohull = await start(t, authority, gate)
    const names = ['yes.kept.test', 'yes.left.test'] as const
    for (const name of names) await showsItself(monohull, name)
    monohull.signal('SIGTERM')
    await monohull.exited
    forgetRenewals(monohull)
    const before = ordersFor(authority, names[0])
    gate.isAllowed = name => name === names[0]
    const from = monohull.output().length
    const again = await start(t, authority, gate, { folder: monohull.folder })
    await again.seen(/certificate dropped, it is no longer wanted names=yes\.left\.test/)
    await again.seen(/certificate issued names=yes\.kept\.test/, from)
    // an order that the stop interrupted is resumed
    assert.ok([before, before + 1].includes(ordersFor(authority, names[0])))
    await until('no certificate', async () => /alert/.test(await shown(again, names[1])), { deadlineMs: 60_000 })
    await showsItself(again, names[0])
    assert.match((await cert(t, again, 'list')).output, /yes\.kept\.test +on-demand .*the CA asks to replace it/)
    assert.doesNotMatch((await cert(t, again, 'list')).output, /yes\.left\.test/)
  })

  it('stays in use when the settings of tls.acme change, and is reissued within the limits', async t => {
    const authority = await startAuthority(t)
    const gate = await startGate(t)
    const monohull = await start(t, authority, gate)
    const names = ['yes.one.shop.test', 'yes.two.shop.test'] as const
    for (const name of names) await showsItself(monohull, name)
    monohull.signal('SIGTERM')
    await monohull.exited
    const env = { MONOHULL_TLS_ACME_KEY_TYPE: 'rsa', MONOHULL_TLS_ON_DEMAND_ORDERS_PER_DOMAIN: '1' }
    const again = await start(t, authority, gate, { folder: monohull.folder, env })
    await again.seen(/certificate not renewed, the old one stays in use names=yes\.two\.shop\.test .*too many orders/)
    const keyOf = async (name: string) =>
      (await presented(again.instance().httpsPort, name)).publicKey.asymmetricKeyType
    await until('the other key', async () => (await keyOf(names[0])) === 'rsa')
    assert.equal(await keyOf(names[1]), 'ec')
  })

  it('is served while the supervisor is frozen; names without one are refused meanwhile', async t => {
    const monohull = await start(t, await startAuthority(t), await startGate(t))
    await showsItself(monohull, 'yes.shop.test')
    monohull.signal('SIGSTOP')
    assert.equal(await shown(monohull, 'yes.shop.test'), 'DNS:yes.shop.test')
    assert.doesNotMatch(await shown(monohull, 'yes.new.test'), /^DNS:/)
    monohull.signal('SIGCONT')
    await showsItself(monohull, 'yes.new.test')
    assert.doesNotMatch(monohull.output(), /lua tcp socket/)
  })

  it('survives reloads: one that changes nothing, and ones that remove tls.on_demand and restore it', async t => {
    const authority = await startAuthority(t)
    const gate = await startGate(t)
    const withIt = `tls: {on_demand: {ask: "${gate.url}"}}\n`
    const folder = temporaryFolder(t, { 'monohull.yaml': withIt })
    const monohull = startWithAcme(t, authority, { folder, env: { MONOHULL_CONFIG: 'monohull.yaml' } })
    await monohull.serving()
    await showsItself(monohull, 'yes.shop.test')
    const reload = async (text: string) => {
      const from = monohull.output().length
      writeFileSync(join(folder, 'monohull.yaml'), text)
      monohull.signal('SIGHUP')
      await monohull.seen(/reload finished/, from)
    }
    await reload(withIt)
    assert.equal(await shown(monohull, 'yes.shop.test'), 'DNS:yes.shop.test')
    await reload('https: redirect\n')
    await until('the default', async () => /DNS:(one\.test|localhost)/.test(await shown(monohull, 'yes.shop.test')))
    await reload(withIt)
    await showsItself(monohull, 'yes.shop.test')
    assert.equal(ordersFor(authority, 'yes.shop.test'), 1)
  })
})
