import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { fixture, type Monohull, startMonohull } from './monohull.ts'
import { bodyOf, sendRaw } from './raw.ts'

/** Status, and the path that reached the app. */
async function ask(monohull: Monohull, path: string): Promise<string> {
  const answer = await sendRaw(
    monohull.instance().httpPort,
    `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
  )
  const status = answer.split(' ')[1]
  return status === '200' ? JSON.parse(bodyOf(answer)).url : String(status)
}

async function start(t: TestContext, keys: string): Promise<Monohull> {
  const monohull = startMonohull(t, {
    files: {
      staff: 'anne:$apr1$abcdefgh$h9FWgUz3n9YxylKLlR5SQ/\n',
      'monohull.yaml': `https: off
app: { command: [node, ${fixture('echo.cjs')}], workers: 1 }
${keys}
`,
    },
  })
  await monohull.serving()
  return monohull
}

/** What nginx takes for / or /open, and an app for something below /admin. */
const detours = [
  '/admin/wipe/../..',
  '/admin/wipe/%2e%2e/%2E./?a=b',
  '/admin/..',
  '/admin/wipe/..%2f..',
  '/admin/..?x',
  '/open/..;/admin/wipe',
  '/open/%2e%2e%3bx/admin/wipe',
  '/admin/wipe/../../open',
  '/admin/./../open',
  '/open\\..\\admin\\wipe',
  '/open/..%5cadmin/wipe',
  // URL parsers take what follows for a host
  '//x/admin/wipe',
  '///x/admin/wipe',
  '/\\x/admin/wipe',
  '/%2fx/admin/wipe',
  '//admin//x',
  // and a backslash for a slash
  '/admin\\wipe',
  '/admin%5Cwipe',
  '/%5cx/admin/wipe',
  // servlets remove parameters
  '/admin;a=b/wipe',
  '/admin;/wipe',
  '/admin%3b/wipe',
  '/;/admin/wipe',
  '/x/;y/..;/admin/wipe',
  // some read letters and slashes as they are
  '/%61dmin/x',
  '/admin%2fx',
  '/admin#/x',
  '/admin\xa0',
]

describe('a route that lets in fewer than others', () => {
  for (const keys of [
    'routes: [{ app: app }, { path: /open, app: app }, { path: /admin, app: app, basic_auth: { file: staff } }]',
    'routes: [{ app: app }, { path: /open, app: app }, { path: /admin, app: app, deny: [127.0.0.0/8] }]',
    'basic_auth: { file: staff }\nroutes: [{ path: /admin, app: app }, { path: /, app: app, basic_auth: off }]',
  ])
    it(`is not reached on a detour through others: ${keys.split('\n')[0]}`, async t => {
      const monohull = await start(t, keys)
      const ofOpen = keys.includes('/open') ? ['/%6fpen/x', '/open%2Fx', '/open;x/y'] : []
      for (const path of [...detours, ...ofOpen]) assert.equal(await ask(monohull, path), '400', path)
      for (const path of ['/admin', '/admin/x', '/admin//x', '/admin/%61', '/admin/x;y'])
        assert.match(await ask(monohull, path), /^(401|403)$/, path)
      for (const path of [
        '/',
        '/x..y/...',
        '/.well-known/x',
        '/a%2Fb//c?next=/../admin',
        '/open/x;y/..z',
        '/x;jsessionid=1',
        '/caf%C3%A9/a%20b',
        '/x?//a\\b#c',
      ])
        assert.equal(await ask(monohull, path), path)
    })

  it('may be a fixed error, or have another path in the app', async t => {
    const monohull = await start(
      t,
      `routes:
  - { app: app }
  - { path: /internal, response: { status: 404 } }
  - { host: a, path: /api, app: app, strip_prefix: true }
  - { host: a, path: /api/admin, app: app, rewrite: { from: ^/api/(.*)$, to: /$1 }, deny: [127.0.0.0/8] }`,
    )
    for (const path of ['//x/internal', '/internal;x', '/api//x/admin/wipe', '/api/%2fx/admin', '/api/;x/admin'])
      assert.equal(await ask(monohull, path), '400', path)
    assert.equal(await ask(monohull, '/internal/x'), '404')
    assert.equal(await ask(monohull, '/api/admin/x'), '403')
    assert.equal(await ask(monohull, '/api/x//y'), '/x//y')
  })

  it('may be a directory, and does not tell others that it is there', async t => {
    const monohull = await start(
      t,
      `routes:
  - { app: app }
  - { path: /admin, files: { root: . }, basic_auth: { file: staff } }
  - { path: /inside, files: { root: . }, deny: [127.0.0.0/8] }
  - { path: /any, files: { root: . }, satisfy: any, basic_auth: { file: staff }, deny: [127.0.0.0/8] }`,
    )
    const authorization = `Basic ${Buffer.from('anne:secret').toString('base64')}`
    for (const [path, denied] of [
      ['/admin', 401],
      ['/inside', 403],
      ['/any', 401],
    ] as const) {
      const { status, headers } = await monohull.request({ path, headers: { host: 'a' } })
      assert.deepEqual([status, headers.location], [denied, undefined], path)
      const { status: signedIn, headers: own } = await monohull.request({
        path: `${path}?x=y`,
        headers: { host: 'a', authorization },
      })
      if (path !== '/inside') assert.deepEqual([signedIn, own.location], [308, `${path}/?x=y`], path)
    }
  })

  it('is all that such paths are refused for', async t => {
    const monohull = await start(
      t,
      'routes: [{ app: app }, { path: /admin, app: app, max_body_size: 1k }, { host: b, path: /admin, app: app, deny: [127.0.0.0/8] }]',
    )
    for (const path of ['/admin/wipe/../..', '//x/admin', '/admin\\x', '/admin;x', '/%61dmin/x'])
      assert.equal(await ask(monohull, path), path)
  })
})
