import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fixture, startMonohull } from './monohull.ts'

const answers = ['run', 'node', fixture('answers.cjs')]
const csp = `default-src 'self'; img-src "x" \\`

describe('headers of answers', () => {
  it('have the usual ones and the configured ones, unless the app set them', async t => {
    const monohull = startMonohull(t, {
      args: answers,
      files: {
        'monohull.yaml': `https: on
headers:
  Content-Security-Policy: ${JSON.stringify(csp)}
  X-Own: a
routes:
  - { app: app }
  - { path: /short, app: app, headers: { Strict-Transport-Security: max-age=60, Content-Security-Policy: off } }
`,
        'nginx/server.d/own.conf': `location /own { add_header X-Local 1; include rendered/headers.conf; return 204; }\n`,
      },
    })
    await monohull.serving()
    const plain = (await monohull.request()).headers
    assert.equal(plain['x-content-type-options'], 'nosniff')
    assert.equal(plain['referrer-policy'], 'strict-origin-when-cross-origin')
    assert.equal(plain['content-security-policy'], csp)
    assert.equal(plain['x-own'], 'a')

    const query = ['referrer-policy:no-referrer', 'x-own:'].map(header => `header=${header}`).join('&')
    const set = (await monohull.request({ path: `/?${query}&status=404` })).headers
    assert.equal(set['x-content-type-options'], 'nosniff')
    assert.equal(set['referrer-policy'], 'no-referrer')

    // nginx drops trailers, so no header announces any
    const announced = await monohull.request({ path: '/?header=trailer:x-sum' })
    assert.deepEqual([announced.status, announced.headers.trailer], [200, undefined])

    const http = (await monohull.request({ scheme: 'http' })).headers
    assert.equal(http['x-own'], 'a')

    const short = (await monohull.request({ path: '/short' })).headers
    assert.deepEqual(
      [short['strict-transport-security'], short['content-security-policy'], short['x-own']],
      ['max-age=60', undefined, 'a'],
    )
    const shortHttp = (await monohull.request({ path: '/short', scheme: 'http' })).headers
    assert.equal(shortHttp['strict-transport-security'], undefined)

    const local = (await monohull.request({ path: '/own' })).headers
    assert.deepEqual([local['x-local'], local['x-own']], ['1', 'a'])
  })

  it('are there on the pages of nginx itself, and each can be left out', async t => {
    const monohull = startMonohull(t, {
      args: ['run', './site'],
      files: {
        'site/index.html': 'x',
        'monohull.yaml': 'https: off\nheaders: { x-content-type-options: off }\n',
      },
    })
    await monohull.serving()
    for (const path of ['/', '/missing']) {
      const { headers } = await monohull.request({ path })
      assert.equal(headers['x-content-type-options'], undefined)
      assert.equal(headers['referrer-policy'], 'strict-origin-when-cross-origin')
      assert.equal(headers.server, 'nginx')
    }
  })

  it('tell the id of the request, which the app and the log have too, when asked to', async t => {
    const monohull = startMonohull(t, {
      args: ['run', 'node', fixture('echo.cjs')],
      files: {
        'monohull.yaml': `https: off
headers: { x-request-id: on }
trusted_proxies: [127.0.0.2]
routes:
  - { app: app }
  - { path: /late, app: app, read_timeout: 300ms }
  - { path: /quiet, app: app, headers: { X-Request-Id: off } }
`,
      },
    })
    await monohull.serving()
    const { headers, body } = await monohull.request({ headers: { 'x-request-id': 'mine' } })
    const id = String(headers['x-request-id'])
    assert.match(id, /^[0-9a-f]{32}$/)
    assert.equal(JSON.parse(body).headers['x-request-id'], id)
    await monohull.seen(new RegExp(`"GET / .* ${id}\\n`))
    const late = (await monohull.request({ path: '/late?ms=3000' })).headers['x-request-id']
    await monohull.seen(new RegExp(`"GET /late.* 504 .* ${late}\\n`))
    const known = { headers: { 'x-request-id': 'from-balancer' }, from: '127.0.0.2' }
    assert.equal((await monohull.request(known)).headers['x-request-id'], 'from-balancer')
    assert.equal((await monohull.request({ path: '/?header=x-request-id:own' })).headers['x-request-id'], 'own')
    assert.equal((await monohull.request({ path: '/quiet' })).headers['x-request-id'], undefined)
  })
})
