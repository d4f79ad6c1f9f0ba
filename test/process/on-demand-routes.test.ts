// needs: pebble redis-server
import assert from 'node:assert/strict'
import https from 'node:https'
import { describe, it, type TestContext } from 'node:test'
import { childrenOf } from '../../supervisor/processes/adapters/procfs.ts'
import { type Authority, startAuthority } from './acme-authority.ts'
import { forgetRenewals, issuerOf, startWithAcme, windowOf } from './acme-monohull.ts'
import { post, setRoute } from './dynamic-monohull.ts'
import { type Monohull, type StartOptions, until } from './monohull.ts'
import { presented } from './presented.ts'
import { startRedis } from './redis-server.ts'

const shop = 'www.shop.test'

async function start(t: TestContext, authority: Authority, options: StartOptions = {}): Promise<Monohull> {
  const env = { MONOHULL_TLS_ON_DEMAND_ASK: 'routes', MONOHULL_DYNAMIC_ROUTES_STORE: 'file', ...options.env }
  const monohull = startWithAcme(t, authority, { ...options, env })
  await monohull.serving()
  return monohull
}

/** `DNS:www.shop.test`, or why there was no handshake. */
const shown = (monohull: Monohull, name = shop) =>
  presented(monohull.instance().httpsPort, name).then(
    ({ subjectAltName }) => subjectAltName ?? '',
    (error: Error) => error.message,
  )

const ordersFor = ({ orders }: Authority, name: string) =>
  orders.filter(({ identifiers }) => identifiers.some(({ value }) => value === name)).length

/** What a client gets that asks for the name in its handshake and in its request. */
const visit = (monohull: Monohull, name = shop) =>
  monohull.request({ headers: { host: name }, agent: new https.Agent({ servername: name }) })

describe('a certificate at the first handshake, with names from dynamic routes', () => {
  it('is refused without a route and issued with one, and so is the app, without a reload', async t => {
    const authority = await startAuthority(t)
    const monohull = await start(t, authority)
    await until(
      'the certificate of the configuration',
      async () => (await shown(monohull, 'one.test')) === 'DNS:one.test',
    )
    const workers = childrenOf(monohull.nginx())
    for (const name of [shop, 'other.shop.test']) assert.match(await shown(monohull, name), /alert/)
    assert.equal(ordersFor(authority, shop), 0)
    await setRoute(monohull, 'app', shop)
    assert.equal(await shown(monohull), `DNS:${shop}`)
    assert.match(await issuerOf(monohull, shop), /Pebble/)
    const { status, body } = await visit(monohull)
    assert.deepEqual([status, JSON.parse(body).headers.host], [200, shop])
    assert.match(await shown(monohull, 'other.shop.test'), /alert/)
    assert.deepEqual([ordersFor(authority, shop), ordersFor(authority, 'other.shop.test')], [1, 0])
    // those that the first certificate made old may have gone meanwhile
    assert.ok(childrenOf(monohull.nginx()).every(pid => workers.includes(pid)))
  })

  it('is issued for a key in Redis, and refused while Redis is unavailable', async t => {
    const authority = await startAuthority(t)
    const redis = await startRedis(t)
    const monohull = await start(t, authority, { env: { MONOHULL_DYNAMIC_ROUTES_STORE: redis.store } })
    assert.match(await shown(monohull), /alert/)
    await redis.cli('set', shop, 'app')
    assert.equal(await shown(monohull), `DNS:${shop}`)
    assert.equal((await visit(monohull)).status, 200)
    await redis.kill()
    assert.match(await shown(monohull, 'other.shop.test'), /alert/)
    assert.equal(await shown(monohull), `DNS:${shop}`)
    assert.deepEqual([ordersFor(authority, shop), ordersFor(authority, 'other.shop.test')], [1, 0])
  })

  it('is dropped at its renewal once the route is removed', async t => {
    const authority = await startAuthority(t)
    authority.behaviour.window = windowOf(-2, -1)
    const monohull = await start(t, authority)
    await setRoute(monohull, 'app', shop)
    await until('the certificate', async () => (await shown(monohull)) === `DNS:${shop}`)
    const outcome = await post(monohull, `${shop}/remove`)
    assert.ok(outcome.ok)
    assert.equal((await visit(monohull)).status, 403)
    monohull.signal('SIGTERM')
    await monohull.exited
    forgetRenewals(monohull)
    const again = await start(t, authority, { folder: monohull.folder })
    await until(
      'the end of the certificate',
      () => /certificate dropped, it is no longer wanted names=www\.shop\.test/.test(again.output()),
      {
        deadlineMs: 60_000,
        details: again.output,
      },
    )
    await until('no certificate', async () => /alert/.test(await shown(again)), { deadlineMs: 60_000 })
  })
})
