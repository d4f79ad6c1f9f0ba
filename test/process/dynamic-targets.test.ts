import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import http from 'node:http'
import { describe, it } from 'node:test'
import { WebSocket } from 'ws'
import { setRoute, shop, startDynamic, storeOf, who } from './dynamic-monohull.ts'
import { defer, type Monohull, until } from './monohull.ts'
import { sendRaw } from './raw.ts'
import { startRouteServer } from './route-servers.ts'

const signal = () => AbortSignal.timeout(20_000)

/** Sets the route of a host to a value of the project's own. */
const setValue = (monohull: Monohull, value: object, host = shop) => setRoute(monohull, JSON.stringify(value), host)

/** The status and the name of the server. */
async function ask(
  monohull: Monohull,
  path: string,
  options: { method?: string; body?: string; cookie?: string } = {},
) {
  const { cookie, ...rest } = options
  const answer = await monohull.request({ ...rest, path, headers: { host: shop, ...(cookie ? { cookie } : {}) } })
  return { ...answer, name: answer.status === 200 ? JSON.parse(answer.body || '{}').name : undefined }
}

/** How often each server responds to some requests. */
async function countNames(monohull: Monohull, count: number): Promise<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (let index = 0; index < count; index++) {
    const name = await who(monohull)
    counts[name] = (counts[name] ?? 0) + 1
  }
  return counts
}

describe('a dynamic route with several targets', () => {
  it('spreads requests by weight, leaves out servers that fail, and tries the next where that is safe', async t => {
    const monohull = await startDynamic(t, { more: 'nginx: { worker_processes: 1 }\n' })
    const [one, two, three] = [
      await startRouteServer(t, 'one'),
      await startRouteServer(t, 'two'),
      await startRouteServer(t, 'three'),
    ]
    await setRoute(monohull, `${one.target} ${two.target} weight=9`)
    const counts = await countNames(monohull, 100)
    assert.equal((counts.one ?? 0) + (counts.two ?? 0), 100)
    assert.ok((counts.two ?? 0) > 60 && (counts.one ?? 0) > 0, JSON.stringify(counts))
    assert.deepEqual([one.connections, two.connections], [1, 1])

    // refuses connections: nothing fails, not even a POST
    await two.stop()
    for (let count = 0; count < 20; count++)
      assert.equal((await ask(monohull, '/', { method: 'POST', body: 'x' })).name, 'one')
    await two.start()

    // takes the request and closes the connection: another gets a GET, and no POST is sent twice
    await setRoute(monohull, `${one.target} ${two.target} ${three.target}`, 'drop.example.com')
    const before = () => [one, two, three].reduce((sum, { requests }) => sum + requests.length, 0)
    let sent = before()
    const headers = { host: 'drop.example.com' }
    assert.equal((await monohull.request({ path: '/drop', headers })).status, 502)
    assert.equal(before() - sent, 3)
    sent = before()
    const refused = await monohull.request({ path: '/drop', method: 'POST', body: 'x', headers })
    assert.deepEqual([refused.status, before() - sent], [502, 1])
    assert.match(refused.body, /unavailable|Back in a moment/)
    // a response is a response
    assert.equal((await monohull.request({ path: '/502', headers })).status, 502)

    for (const server of [one, two, three]) await server.stop()
    assert.equal((await monohull.request({ headers })).status, 502)
    await three.start()
    assert.equal(await who(monohull, 'drop.example.com'), 'three')
    assert.equal(await who(monohull, 'drop.example.com'), 'three')
  })

  it('keeps visitors at a server by a cookie, and carries WebSockets, event streams and large heads', async t => {
    const monohull = await startDynamic(t)
    const servers = [await startRouteServer(t, 'one'), await startRouteServer(t, 'two')]
    const targets = servers.map(({ target }) => target)
    await setValue(monohull, { targets, sticky: true })
    const first = await ask(monohull, '/')
    const [own, kept = ''] = [...(first.headers['set-cookie'] ?? [])].sort().reverse()
    assert.equal(own, 'own=1')
    assert.match(kept, /^monohull_target=[0-9a-f]{8}; Path=\/; HttpOnly; SameSite=Lax; Secure$/)
    const cookie = kept.split(';')[0] ?? ''
    for (let count = 0; count < 20; count++) {
      const next = await ask(monohull, '/', { cookie })
      assert.deepEqual([next.name, next.headers['set-cookie']], [first.name, ['own=1']])
    }
    const other = servers.find(({ name }) => name !== first.name)
    await servers.find(({ name }) => name === first.name)?.stop()
    const moved = await ask(monohull, '/', { cookie })
    assert.equal(moved.name, other?.name)
    assert.match(String(moved.headers['set-cookie']), /monohull_target=/)

    const { httpPort } = monohull.instance()
    const large = await sendRaw(httpPort, `GET /large HTTP/1.1\r\nHost: ${shop}\r\nConnection: close\r\n\r\n`)
    assert.match(large, /^HTTP\/1.1 200 .*\r\nx-large: x{40000}\r\n/s)
    const socket = new WebSocket(`ws://127.0.0.1:${httpPort}/`, { headers: { host: shop } })
    defer(t, () => socket.terminate())
    await once(socket, 'open', { signal: signal() })
    socket.send('hello')
    assert.equal(String((await once(socket, 'message', { signal: signal() }))[0]), `${other?.name} hello`)
    const request = http.get({ port: httpPort, path: '/events', headers: { host: shop } })
    const [response] = await once(request, 'response', { signal: signal() })
    assert.equal(String((await once(response, 'data', { signal: signal() }))[0]), `data: ${other?.name}\n\n`)
    request.destroy()
  })

  it('spreads requests among apps and addresses, and leaves out what does not exist', async t => {
    const monohull = await startDynamic(t)
    const server = await startRouteServer(t, 'elsewhere')
    await setRoute(monohull, `web ${server.target} weight=3`)
    const counts = await countNames(monohull, 60)
    assert.deepEqual(Object.keys(counts).sort(), ['elsewhere', 'web'])
    writeFileSync(storeOf(monohull), JSON.stringify({ [shop]: 'gone weight=9 other', 'none.example.com': 'gone' }))
    await until('the other app', async () => (await who(monohull)) === 'other')
    assert.equal(await who(monohull, 'none.example.com'), '503')
  })
})

describe('settings of a dynamic route', () => {
  const users = [
    'apr:$apr1$salt$GuAg0AphaWDqGw5NMoEjE/',
    'bcrypt:$2b$05$abcdefghijklmnopqrstuuG7E0J6tqGhevVAAoLdouS0rEYRhtsmy',
    'sha:$6$saltsalt$dXw54c7FbjOTNROS8PXMARWjH6A.CoTmR9oM2pU2CDlRs9VvHh9JZlDMhy8pVHspfw6lRpWxXOBa0bz9xL/Jo1',
  ]
  const basic = (name: string, password: string) => `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`

  for (const more of ['', 'basic_auth: { file: passwords }\n'])
    it(`ask for passwords ${more === '' ? 'of their own' : 'in place of those of the front'}`, async t => {
      const files = { passwords: 'front:$apr1$salt$GuAg0AphaWDqGw5NMoEjE/\n' }
      const monohull = await startDynamic(t, { more, files })
      const server = await startRouteServer(t, 'elsewhere')
      const statusOf = async (authorization?: string) =>
        (await monohull.request({ headers: { host: shop, ...(authorization ? { authorization } : {}) } })).status
      for (const target of [server.target, 'web']) {
        await setValue(monohull, { targets: target, basic_auth: users })
        const refused = await monohull.request({ headers: { host: shop } })
        assert.deepEqual([refused.status, refused.headers['www-authenticate']], [401, 'Basic realm="Restricted"'])
        for (const name of ['apr', 'bcrypt', 'sha']) {
          assert.equal(await statusOf(basic(name, 'y')), 200, name)
          assert.equal(await statusOf(basic(name, 'x')), 401, name)
        }
        for (const wrong of [
          basic('front', 'y'),
          basic('nobody', 'y'),
          basic('apr', ''),
          'Basic !',
          'Bearer x',
          'Basic',
        ])
          assert.equal(await statusOf(wrong), 401, wrong)
      }
      assert.deepEqual(
        server.requests.map(({ headers }) => headers.authorization),
        [undefined, undefined, undefined],
      )
    })

  it('limit bodies and the time without a response', async t => {
    const monohull = await startDynamic(t, { more: 'max_body_size: 10k\nnginx: { worker_processes: 1 }\n' })
    const server = await startRouteServer(t, 'elsewhere')
    const other = await startRouteServer(t, 'other')
    const send = (size: number) => ask(monohull, '/', { method: 'POST', body: 'x'.repeat(size) })
    const port = monohull.instance().httpPort
    const chunked = (size: number) =>
      sendRaw(
        port,
        `POST / HTTP/1.1\r\nHost: ${shop}\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n${size.toString(16)}\r\n${'x'.repeat(size)}\r\n0\r\n\r\n`,
      )
    for (const target of [server.target, 'web']) {
      await setRoute(monohull, target)
      assert.deepEqual([(await send(10_240)).status, (await send(10_241)).status], [200, 413])
      assert.match(await chunked(10_241), /^HTTP\/1.1 413 /)
      await setValue(monohull, { targets: target, max_body_size: '100k' })
      assert.deepEqual([(await send(102_400)).status, (await send(102_401)).status], [200, 413])
      assert.match((await send(102_401)).body, /larger than this site accepts/)
      await setValue(monohull, { targets: target, max_body_size: '1k' })
      assert.deepEqual([(await send(1024)).status, (await send(1025)).status], [200, 413])
      assert.match(await chunked(10), /^HTTP\/1.1 411 /)
      await setValue(monohull, { targets: target, max_body_size: 'off' })
      assert.equal((await send(1_000_000)).status, 200)
    }
    await setValue(monohull, { targets: [server.target, other.target], read_timeout: '200ms' })
    assert.equal((await ask(monohull, '/slow')).status, 502)
    assert.equal(server.requests.concat(other.requests).filter(({ url }) => url === '/slow').length, 1)
  })
})
