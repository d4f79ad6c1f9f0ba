import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ask, fixture, startMonohull } from './monohull.ts'

const hello = ['run', 'node', fixture('hello.cjs')]

describe('a running monohull', () => {
  it('serves an unmodified Node app over HTTPS, and redirects HTTP to it with host, port, path and query', async t => {
    const monohull = startMonohull(t, { args: hello })
    const { httpPort, httpsPort } = await monohull.serving()

    const answer = await monohull.request({
      path: '/x?y=1',
      headers: { 'x-forwarded-for': '6.6.6.6', 'x-forwarded-proto': 'gopher', 'x-ssl-protocol': 'none' },
    })
    assert.equal(answer.status, 200)
    const seen = JSON.parse(answer.body)
    assert.equal(seen.url, '/x?y=1')
    assert.equal(seen.peer, '127.0.0.1')
    assert.equal(seen.headers['x-forwarded-for'], '127.0.0.1')
    assert.equal(seen.headers['x-forwarded-proto'], 'https')
    assert.equal(seen.headers['x-ssl-protocol'], undefined)
    await monohull.seen(/listening on 3000/)

    const redirect = await ask(httpPort, { path: '/a%20b?c=d&e', headers: { host: `shop.example:${httpPort}` } })
    assert.equal(redirect.status, 308)
    assert.equal(redirect.headers.location, `https://shop.example:${httpsPort}/a%20b?c=d&e`)
  })

  it('answers health on HTTP without a redirect and on HTTPS', async t => {
    const monohull = startMonohull(t, { args: hello })
    await monohull.serving()
    for (const scheme of ['http', 'https'] as const) {
      const live = await monohull.request({ scheme, path: '/healthz' })
      assert.deepEqual([live.status, JSON.parse(live.body)], [200, { status: 'ok' }])
      const ready = await monohull.request({ scheme, path: '/readyz' })
      assert.equal(ready.status, 200)
      assert.equal(JSON.parse(ready.body).status, 'ready')
      assert.match(String(ready.headers['content-type']), /^application\/json/)
    }
  })

  it('leaves the health paths to an app that wants them', async t => {
    const monohull = startMonohull(t, {
      args: hello,
      env: { MONOHULL_HEALTH_LIVE_PATH: 'off', MONOHULL_HEALTH_READY_PATH: '/-/ready' },
    })
    await monohull.serving()
    assert.equal(JSON.parse((await monohull.request({ path: '/healthz' })).body).url, '/healthz')
    assert.equal(JSON.parse((await monohull.request({ path: '/-/ready' })).body).status, 'ready')
  })

  it('serves plain HTTP alone with https: off, and both with https: on', async t => {
    const off = startMonohull(t, { args: hello, env: { MONOHULL_HTTPS: 'off' } })
    assert.equal((await off.serving()).httpsPort, undefined)
    assert.equal((await off.request({ scheme: 'http' })).status, 200)
    const on = startMonohull(t, { args: hello, env: { MONOHULL_HTTPS: 'on' } })
    await on.serving()
    assert.equal((await on.request({ scheme: 'http' })).status, 200)
    assert.equal((await on.request({ scheme: 'https' })).status, 200)
  })

  it('listens on IPv4 and IPv6', async t => {
    const monohull = startMonohull(t, {
      args: hello,
      env: { MONOHULL_BIND_ADDRESSES: '127.0.0.1,::1', MONOHULL_HTTPS: 'off' },
    })
    const { httpPort } = await monohull.serving()
    for (const host of ['127.0.0.1', '[::1]']) {
      const response = await fetch(`http://${host}:${httpPort}/`)
      assert.equal(response.status, 200)
    }
  })

  it('passes a 1 MB POST through, and WebSocket upgrades', async t => {
    const monohull = startMonohull(t, { args: hello })
    await monohull.serving()
    const body = 'x'.repeat(1_000_000)
    const answer = await monohull.request({ method: 'POST', body })
    assert.equal(JSON.parse(answer.body).body.length, body.length)
    // servers with hot reloading compare the origin with the host
    const same = { host: 'localhost:8080', origin: 'http://localhost:8080' }
    const upgrade = await monohull.request({ headers: { connection: 'upgrade', upgrade: 'websocket', ...same } })
    const { upgrade: wanted, host, origin } = JSON.parse(upgrade.body).headers
    assert.deepEqual({ wanted, host, origin }, { wanted: 'websocket', ...same })
  })

  it('serves a folder of static files, without its dotfiles', async t => {
    const monohull = startMonohull(t, {
      files: { 'site/index.html': '<h1>static</h1>', 'site/.env': 'SECRET=1', 'site/.well-known/x': 'known' },
      args: ['run', './site'],
    })
    await monohull.serving()
    assert.equal((await monohull.request()).body, '<h1>static</h1>')
    assert.equal((await monohull.request({ path: '/.env' })).status, 404)
    assert.equal((await monohull.request({ path: '/.well-known/x' })).body, 'known')
    assert.equal((await monohull.request({ path: '/readyz' })).status, 200)
  })

  it('runs the welcome app when there is nothing else', async t => {
    const monohull = startMonohull(t)
    await monohull.serving()
    const answer = await monohull.request()
    assert.equal(answer.status, 200)
    assert.match(answer.body, /monohull run/)
    const told = JSON.parse((await monohull.request({ path: '/api/worker', headers: { 'x-ssl-cipher': 'none' } })).body)
    assert.match(JSON.stringify(told.tls), /"protocol":"TLSv1\.[23]","cipher":"TLS_/)
  })
})
