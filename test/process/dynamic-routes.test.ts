import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import http2 from 'node:http2'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { WebSocket } from 'ws'
import { childrenOf } from '../../supervisor/processes/adapters/procfs.ts'
import { makeClientAuthority } from '../client-authority.ts'
import {
  configuration,
  keepAsking,
  main,
  post,
  readStore,
  setRoute,
  shop,
  startDynamic,
  tell,
  who,
} from './dynamic-monohull.ts'
import { defer, startMonohull, temporaryFolder, until } from './monohull.ts'

/** A server elsewhere that counts its connections. */
async function startServer(t: TestContext, address = '127.0.0.1', headers: http.OutgoingHttpHeaders = {}) {
  const facts = { connections: 0, target: '' }
  const server = http.createServer((request, response) => {
    request.resume()
    response.writeHead(200, headers)
    response.end(JSON.stringify({ name: 'elsewhere', headers: request.headers }))
  })
  server.on('connection', () => facts.connections++)
  server.listen(0, address)
  await once(server, 'listening')
  defer(t, () => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  facts.target = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
  return facts
}

describe('a dynamic route', () => {
  it('serves a host once it is set, moves it, and ends with 403, without a reload of nginx', async t => {
    const monohull = await startDynamic(t)
    const workers = childrenOf(monohull.nginx())
    assert.equal(await who(monohull), '403')
    assert.deepEqual(await tell(t, monohull, 'routes', 'list'), { code: 0, output: 'no dynamic routes\n' })
    const set = await tell(t, monohull, 'routes', 'set', 'Shop.Example.com', 'web')
    assert.deepEqual(set, { code: 0, output: 'monohull: shop.example.com now leads to web\n' })
    for (const scheme of ['http', 'https'] as const)
      for (const host of [shop, 'SHOP.example.com', `${shop}.`, `${shop}:8443`])
        assert.equal(await who(monohull, host, { scheme }), 'web', host)
    const moved = await tell(t, monohull, 'routes', 'set', shop, 'other')
    assert.equal(moved.output, 'monohull: shop.example.com now leads to other (before: web)\n')
    for (let count = 0; count < 20; count++) assert.equal(await who(monohull), 'other')
    const listed = await tell(t, monohull, 'routes', 'list', '--json')
    assert.deepEqual(JSON.parse(listed.output), [{ host: shop, target: 'other' }])
    assert.match((await tell(t, monohull, 'status')).output, /^dynamic routes: 1$/m)
    const removed = await tell(t, monohull, 'routes', 'remove', shop)
    assert.deepEqual(removed, { code: 0, output: 'monohull: route of shop.example.com removed (before: other)\n' })
    for (let count = 0; count < 20; count++) assert.equal(await who(monohull), '403')
    assert.deepEqual(childrenOf(monohull.nginx()), workers)
    assert.equal(readStore(monohull), '{}\n')
  })

  it('is set, moved and removed again and again under load without a failed request', async t => {
    const monohull = await startDynamic(t)
    await setRoute(monohull, 'web')
    const loads = [keepAsking(t, monohull), keepAsking(t, monohull, main)]
    for (let count = 0; count < 10; count++) {
      await setRoute(monohull, 'other')
      assert.equal(await who(monohull), 'other')
      await setRoute(monohull, 'web')
      assert.equal(await who(monohull), 'web')
      await setRoute(monohull, 'web', 'beside.example.com')
      assert.equal(await who(monohull, 'beside.example.com'), 'web')
      assert.ok((await post(monohull, 'beside.example.com/remove')).ok)
      assert.equal(await who(monohull, 'beside.example.com'), '403')
    }
    assert.deepEqual(await Promise.all(loads.map(load => load.end())), [['other', 'web'], ['web']])
  })

  it('leaves the hosts of the configuration, addresses and single words to its routes, and refuses to be one of them', async t => {
    // in server_names, and with a route of its own
    const both = `{ host: ${main}, app: web }`
    const more = `routes: [{ app: web }, ${both}, { host: api.example.com, app: other }]\n`
    const monohull = await startDynamic(t, { more })
    assert.doesNotMatch(monohull.output(), /conflicting server name/)
    for (const host of [main, '127.0.0.1', '[::1]', '10.1.2.3:8443', 'localhost', 'balancer'])
      assert.equal(await who(monohull, host), 'web', host)
    assert.equal(await who(monohull, 'api.example.com'), 'other')
    assert.equal((await monohull.request({ path: '/healthz', headers: { host: shop } })).status, 200)
    for (const host of [main, 'api.example.com']) {
      const { code, output } = await tell(t, monohull, 'routes', 'set', host, 'other')
      assert.equal(code, 1)
      assert.match(output, /is in the configuration, which takes precedence\n {2}fix: remove it from server_names/)
    }
    const usage = await tell(t, monohull, 'routes', 'set', shop)
    assert.equal(usage.code, 64)
    assert.match(usage.output, /needs 2 arguments, got 1\n {2}fix: monohull routes set HOST TARGET/)
    const none = await tell(t, monohull, 'routes', 'remove')
    assert.match(none.output, /monohull routes remove needs 1 argument, got 0\n/)
  })

  it('is like any other route: headers, request id, WebSockets, HTTP/2, a try on another worker', async t => {
    const monohull = await startDynamic(t, { program: 'hello.cjs' })
    await setRoute(monohull, 'web')
    const reached = async (host: string) => {
      const headers = { host, 'x-forwarded-for': '1.2.3.4', 'x-forwarded-host': 'evil.test', proxy: 'x' }
      const answer = await monohull.request({ path: '/a%2Fb//c?d=%20e', headers })
      return { answer, request: JSON.parse(answer.body) }
    }
    const [dynamic, plain] = [await reached(shop), await reached(main)]
    const normal = (text: string) =>
      text
        .replaceAll(shop, main)
        .replaceAll(/"(pid|x-request-id|x-request-start|traceparent|worker)":("[^"]*"|\d+)/g, '"$1":0')
    assert.equal(normal(JSON.stringify(dynamic.request)), normal(JSON.stringify(plain.request)))
    assert.match(dynamic.request.headers['x-request-id'], /^[0-9a-f]{32}$/)
    assert.deepEqual(Object.keys(dynamic.answer.headers), Object.keys(plain.answer.headers))

    const session = http2.connect(`https://127.0.0.1:${monohull.instance().httpsPort}`, { rejectUnauthorized: false })
    defer(t, () => session.destroy())
    const stream = session.request({ ':authority': shop, ':path': '/two' })
    const [headers] = await once(stream, 'response', { signal: AbortSignal.timeout(10_000) })
    assert.equal(headers[':status'], 200)
    session.destroy()

    const load = keepAsking(t, monohull)
    const before = monohull.instance().children.findLast(({ name }) => name === 'web.1')?.pid ?? 0
    process.kill(before, 'SIGKILL')
    await until('the next worker', () =>
      monohull.instance().children.some(({ name, pid }) => name === 'web.1' && pid !== before),
    )
    const statuses = await load.end()
    assert.deepEqual(
      statuses.filter(status => /^\d+$/.test(status)),
      [],
    )
  })

  it('lets nobody in whom the front holds off, to an app or an address', async t => {
    const authority = makeClientAuthority(join(temporaryFolder(t), 'ca'), 'Test clients')
    const server = await startServer(t)
    const monohull = await startDynamic(t, {
      more: 'tls: { client_certificates: { ca: clients.crt } }\nbasic_auth: { file: passwords }\nmax_body_size: 1k\n',
      files: {
        'clients.crt': readFileSync(authority.file, 'utf8'),
        passwords: 'me:$apr1$salt$GuAg0AphaWDqGw5NMoEjE/\n',
      },
    })
    const alice = authority.issue('alice')
    const agent = new https.Agent({ ...alice, maxCachedSessions: 0 })
    const authorization = `Basic ${Buffer.from('me:y').toString('base64')}`
    for (const target of ['web', server.target]) {
      await setRoute(monohull, target)
      assert.equal(await who(monohull, shop, { headers: { authorization } }), '403')
      assert.equal(await who(monohull, shop, { headers: { authorization }, scheme: 'http' }), '403')
      assert.equal(await who(monohull, shop, { agent }), '401')
      const body = { method: 'POST', body: 'x'.repeat(2000) }
      assert.equal(await who(monohull, shop, { agent, headers: { authorization }, ...body }), '413')
      assert.match(await who(monohull, shop, { agent, headers: { authorization } }), /web|elsewhere/)
    }
  })

  it('passes WebSockets on', async t => {
    const monohull = await startDynamic(t, { program: 'streams.cjs' })
    await setRoute(monohull, 'web')
    const socket = new WebSocket(`ws://127.0.0.1:${monohull.instance().httpPort}/`, { headers: { host: shop } })
    defer(t, () => socket.terminate())
    await once(socket, 'open', { signal: AbortSignal.timeout(10_000) })
    socket.send('hello')
    const [message] = await once(socket, 'message', { signal: AbortSignal.timeout(10_000) })
    assert.match(String(message), /^\d+ hello$/)
  })

  it('gives a server at an address no file that nginx sends for the apps', async t => {
    const [more, files] = ['send_files: { /protected/: private }\n', { 'private/a.txt': 'for members' }]
    const folder = temporaryFolder(t, { 'monohull.yaml': configuration({ more }), ...files })
    const monohull = await startDynamic(t, { folder })
    const { target } = await startServer(t, '127.0.0.1', { 'x-accel-redirect': '/protected/a.txt' })
    await setRoute(monohull, target)
    assert.equal(await who(monohull), 'elsewhere')
  })

  it('leads to addresses, over kept connections, and to upstreams with their own settings', async t => {
    const [ipv4, ipv6, upstream] = [await startServer(t), await startServer(t, '::1'), await startServer(t)]
    const monohull = await startDynamic(t, {
      more: `nginx: { worker_processes: 1 }\nupstreams: { legacy: { servers: ["${upstream.target}"], host: legacy.test } }\n`,
    })
    for (const server of [ipv4, ipv6]) {
      await setRoute(monohull, server.target)
      for (let count = 0; count < 10; count++) assert.equal(await who(monohull), 'elsewhere')
      assert.equal(server.connections, 1)
    }
    const { body } = await monohull.request({ headers: { host: shop } })
    assert.equal(JSON.parse(body).headers.host, shop)
    await setRoute(monohull, 'legacy')
    const own = JSON.parse((await monohull.request({ headers: { host: shop } })).body).headers
    assert.deepEqual([own.host, own['x-forwarded-host']], ['legacy.test', shop])
    await setRoute(monohull, '127.0.0.1:1')
    assert.equal(await who(monohull), '502')
    const { httpPort } = monohull.instance()
    const outcome = await post(monohull, `${shop}/set?target=127.0.0.1:${httpPort}`)
    assert.match(outcome.ok ? '' : outcome.reason, /nginx itself/)
  })

  it('is rendered with the Lua modules that nginx runs', async t => {
    const files = { 'monohull.yaml': configuration() }
    const env = { MONOHULL_WORKERS: undefined, MONOHULL_DIRECTORY: undefined }
    const rendered = startMonohull(t, { args: ['render'], files, env })
    assert.equal(await rendered.exited, 0, rendered.output())
    assert.match(rendered.output(), /^# ---- lua\/monohull\/routes\.lua\n--- /m)
    assert.match(rendered.output(), /^lua_package_path \S+\/run\/nginx\/current\/lua\/\?\.lua;;";$/m)
  })

  it('outlasts a reload, whose new names go before it, and a restart', async t => {
    const monohull = await startDynamic(t)
    await setRoute(monohull, 'other')
    await setRoute(monohull, 'other', 'named.example.com')
    const load = keepAsking(t, monohull)
    const text = configuration().replace('server_names: [', 'server_names: [named.example.com, ')
    writeFileSync(join(monohull.folder, 'monohull.yaml'), text)
    monohull.signal('SIGHUP')
    await monohull.seen(/reload finished/)
    await monohull.seen(/dynamic routes do not work.*named\.example\.com is in the configuration/)
    await until('the new name', async () => (await who(monohull, 'named.example.com')) === 'web')
    assert.deepEqual(await load.end(), ['other'])
    assert.match(
      (await tell(t, monohull, 'routes', 'list')).output,
      /named\.example\.com +other +named\.example\.com is in/,
    )
    await setRoute(monohull, '127.0.0.1:9', 'address.example.com')
    assert.equal(await who(monohull, 'address.example.com'), '502')
    writeFileSync(join(monohull.folder, 'monohull.yaml'), text.replace('file }', 'file, allow: [10.0.0.0/8] }'))
    monohull.signal('SIGHUP')
    await until('allow', async () => (await who(monohull, 'address.example.com')) === '503')
    const from = monohull.output().length
    writeFileSync(join(monohull.folder, 'monohull.yaml'), text.replace('dynamic_routes: { store: file }\n', ''))
    monohull.signal('SIGHUP')
    await monohull.seen(/dynamic_routes cannot change without a restart/, from)
    monohull.signal('SIGTERM')
    assert.equal(await monohull.exited, 0)
    writeFileSync(join(monohull.folder, 'monohull.yaml'), text)
    const again = await startDynamic(t, { folder: monohull.folder })
    assert.equal(await who(again), 'other')
  })
})
