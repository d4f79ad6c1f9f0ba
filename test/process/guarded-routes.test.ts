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
]

describe('a route that lets in fewer than others', () => {
  for (const keys of [
    'routes: [{ app: app }, { path: /open, app: app }, { path: /admin, app: app, basic_auth: { file: staff } }]',
    'routes: [{ app: app }, { path: /open, app: app }, { path: /admin, app: app, deny: [127.0.0.0/8] }]',
    'basic_auth: { file: staff }\nroutes: [{ path: /admin, app: app }, { path: /, app: app, basic_auth: off }]',
  ])
    it(`is not reached on a detour through others: ${keys.split('\n')[0]}`, async t => {
      const monohull = await start(t, keys)
      for (const path of detours) assert.equal(await ask(monohull, path), '400', path)
      for (const path of ['/admin', '/admin/x', '//admin//x', '/%61dmin/x', '/admin%2fx', '/x//admin/../x'])
        assert.match(await ask(monohull, path), path === '/x//admin/../x' ? /^400$/ : /^(401|403)$/, path)
      for (const path of ['/', '/x..y/...', '/.well-known/x', '/a%2Fb//c?next=/../admin', '/open/x;y/..z'])
        assert.equal(await ask(monohull, path), path)
    })

  it('is all that such paths are refused for', async t => {
    const monohull = await start(t, 'routes: [{ app: app }, { path: /admin, app: app, max_body_size: 1k }]')
    assert.equal(await ask(monohull, '/admin/wipe/../..'), '/admin/wipe/../..')
  })
})
