import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import express from 'express'
import request from 'supertest'
import type { Access } from '../../../supervisor/dashboard/adapters/guard.ts'
import { createGuardedApp } from '../../../supervisor/dashboard/adapters/guarded-app.ts'
import { createFeedRoute } from '../../../supervisor/dashboard/adapters/page-routes.ts'
import { sendErrors } from '../../../supervisor/dashboard/adapters/rejection.ts'
import type { Position } from '../../../supervisor/dashboard/feed.ts'

const home = mkdtempSync(join(tmpdir(), 'monohull-page-'))
mkdirSync(join(home, 'dist'))
writeFileSync(
  join(home, 'dist/status-page.html.gz'),
  gzipSync('<!doctype html><style>a{}</style><script>run()</script>'),
)
after(() => rmSync(home, { recursive: true }))

const token = 'a-token-of-many-characters'

function app(access: Access) {
  const api = express()
  api.get('/status', (_request, response) => void response.json({ pid: 1 }))
  api.post('/restart/:name', (_request, response) => void response.json({ ok: true }))
  api.post('/stop', (_request, response) => void response.json({ ok: true }))
  api.post('/routes', (incoming, response) => void response.json({ body: incoming.body }))
  api.get('/fails', () => {
    throw new Error('secret detail')
  })
  api.use(sendErrors)
  return createGuardedApp({ home, access: () => access, api })
}

const readOnly = { token, actions: false }
const acting = { token, actions: true }
const bearer = `Bearer ${token}`

describe('dashboard/adapters/guard', () => {
  it('serves the page without a token, under a policy with the hashes of its script and style', async () => {
    const response = await request(app(readOnly)).get('/').expect(200)
    assert.equal(response.text, '<!doctype html><style>a{}</style><script>run()</script>')
    assert.match(
      response.headers['content-security-policy'] ?? '',
      /^default-src 'none'; script-src 'sha256-[\w+/]{43}='; style-src 'sha256-[\w+/]{43}='; .*frame-ancestors 'none'$/,
    )
    assert.equal(response.headers['x-frame-options'], 'DENY')
    assert.equal(response.headers['content-encoding'], 'gzip')
    const plain = await request(app(readOnly)).get('/').set('accept-encoding', 'identity')
    assert.deepEqual([plain.headers['content-encoding'], plain.text.length], [undefined, 55])
  })

  it('requires the token for data', async () => {
    const missing = await request(app(readOnly)).get('/status').expect(401)
    assert.equal(missing.body.reason, 'the token is missing')
    assert.match(missing.body.fix, /Authorization: Bearer/)
    assert.match(missing.headers['www-authenticate'] ?? '', /^Bearer/)
    for (const wrong of ['Bearer x', `Bearer ${token}x`, `Basic ${token}`, token])
      await request(app(readOnly)).get('/status').set('authorization', wrong).expect(401)
    await request(app(readOnly)).get(`/status?token=${token}`).expect(401)
    await request(app(readOnly)).get('/status').set('authorization', bearer).expect(200, { pid: 1 })
    await request(app(readOnly)).get('/status').set('monohull-token', token).expect(200, { pid: 1 })
    await request(app(readOnly)).get('/status').set('monohull-token', 'x').set('authorization', bearer).expect(401)
  })

  it('without a token, responds only under names of this machine', async () => {
    const open = app({ actions: false })
    await request(open).get('/status').set('host', 'localhost:9114').expect(200)
    const rebound = await request(open).get('/status').set('host', 'evil.test').expect(403)
    assert.match(rebound.body.fix, /localhost/)
    const routed = app({ actions: false, isBehindRoute: true })
    await request(routed).get('/status').set('host', 'status.example.com').expect(200)
  })

  it('limits wrong tokens to twenty in a minute, and the right one gets in all the same', async () => {
    const one = app(readOnly)
    const get = (value: string) => request(one).get('/status').set('authorization', value)
    for (let turn = 0; turn < 20; turn++) await get('Bearer wrong').expect(401)
    await request(one).get('/status').expect(401)
    await get(bearer).expect(200)
    const limited = await get('Bearer wrong').expect(429)
    assert.equal(limited.body.message, 'too many requests')
    assert.ok(Number(limited.headers['retry-after']) > 0)
    // whoever shares the address must not be able to lock the others out
    await get(bearer).expect(200, { pid: 1 })
    await get('Bearer wrong').expect(429)
  })

  it('ends a stream whose token no longer counts', async () => {
    let listener = (_text: string, _position: Position): void => {}
    const subscribe = (given: typeof listener) => {
      listener = given
      return () => {}
    }
    const access = { token, actions: false }
    const api = express().use(createFeedRoute({ feed: async () => ({ subscribe, close() {} }) }))
    const server = createGuardedApp({ home, access: () => access, api }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    after(() => server.close())
    const { port } = server.address() as AddressInfo
    const response = await fetch(`http://127.0.0.1:${port}/feed`, { headers: { 'monohull-token': token } })
    const position = { run: 'r', at: 1, log: 2, event: 3 }
    listener('{"at":1}', position)
    access.token = 'another-token-of-many-characters'
    listener('{"at":2}', position)
    assert.equal(await response.text(), 'id: r.1.2.3\ndata: {"at":1}\n\n')
  })

  it('changes something only with actions, from the page itself', async () => {
    const post = (access: Access, path = '/restart/app.1') =>
      request(app(access)).post(path).set('authorization', bearer)
    const rejected = await post(readOnly).expect(403)
    assert.match(rejected.body.fix, /admin\.actions: true/)
    await post(acting).expect(200)
    await post(acting).set('sec-fetch-site', 'cross-site').expect(403)
    await post(acting).set('origin', 'https://evil.test').expect(403)
    await post(acting, '/stop').expect(403)
    await post(acting, '/inspect/app.1').expect(403)
    await post(acting, '/profile/app.1?heap=true').expect(403)
    await request(app(acting)).post('/restart/app.1').expect(401)
  })

  it('reports a body that is too long, or not JSON, with the position', async () => {
    const post = (body: string) =>
      request(app(acting)).post('/routes').set('authorization', bearer).type('json').send(body)
    const large = await post(`"${'x'.repeat(1_100_000)}"`).expect(413)
    assert.match(large.body.reason, /larger than 1048576 bytes/)
    assert.match((await post('{"a": }').expect(400)).body.reason, /not valid JSON: .*position 6/)
    assert.match((await post('{"a": 1').expect(400)).body.reason, /position 7/)
    assert.match((await post('{').expect(400)).body.reason, /position 1/)
    assert.deepEqual((await post('{"a": 1}').expect(200)).body, { body: '{"a": 1}' })
  })

  it('has JSON for every error, without what only the log may say', async () => {
    const get = (path: string) => request(app(readOnly)).get(path).set('authorization', bearer)
    assert.deepEqual((await get('/fails').expect(500)).body.reason, 'the request failed')
    const malformed = await request(app(acting)).post('/restart/%zz').set('authorization', bearer).expect(400)
    assert.equal(malformed.body.ok, false)
  })
})
