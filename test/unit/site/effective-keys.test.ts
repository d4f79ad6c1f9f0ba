import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ConfigSources } from '../../../supervisor/config/merge.ts'
import { effectiveKeys } from '../../../supervisor/site/effective-keys.ts'
import { noSources, yaml } from './load-config.ts'

function keysOf(sources: Partial<ConfigSources>): Map<string, [unknown, string]> {
  const keys = effectiveKeys({ ...noSources, ...sources })
  const found = new Map(keys.map(({ key, value, source }) => [key, [value, source] as [unknown, string]]))
  assert.equal(found.size, keys.length, 'a key is listed twice')
  return found
}

describe('site/effective-keys', () => {
  it('names the source of each value: default, file, variable, flag, command', () => {
    const keys = keysOf({
      ...yaml('app:\n  workers: 2\n  timeout: 30s\nhttp_port: 81\n'),
      defaults: { http_port: 8080, https_port: 8443 },
      env: { MONOHULL_WORKERS: '3', MONOHULL_LOG_LEVEL: 'warn', WEB_CONCURRENCY: '9' },
      flags: { 'app.workers': '4' },
      command: ['node', 'server.js'],
    })
    const file = keys.get('http_port')?.[1] ?? ''
    assert.match(file, /:4$/)
    assert.deepEqual(keys.get('http_port'), [81, file])
    assert.deepEqual(keys.get('https_port'), [8443, 'default'])
    assert.deepEqual(keys.get('https'), ['redirect', 'default'])
    assert.deepEqual(keys.get('app.workers'), [4, '--workers'])
    assert.deepEqual(keys.get('app.timeout')?.[0], '30s')
    assert.deepEqual(keys.get('app.command'), [['node', 'server.js'], 'the command line'])
    assert.deepEqual(keys.get('log_level'), ['warn', 'MONOHULL_LOG_LEVEL'])
    assert.deepEqual(keys.get('tls.acme.email'), [undefined, 'default'])
  })

  it('lists the keys of named apps, routes and other names, and no app that does not exist', () => {
    const keys = keysOf({
      ...yaml(
        'apps: { web: { workers: 2 }, app: {} }\nroutes:\n  - { path: /, app: web }\n  - { path: /x, app: app }\n',
      ),
      env: { MONOHULL_APPS_WEB_BALANCE: 'sticky', MONOHULL_LISTEN: 'port' },
    })
    assert.equal(keys.get('apps.web.workers')?.[0], 2)
    assert.deepEqual(keys.get('apps.web.balance'), ['sticky', 'MONOHULL_APPS_WEB_BALANCE'])
    assert.deepEqual(keys.get('apps.app.listen'), ['port', 'MONOHULL_LISTEN'])
    assert.deepEqual(keys.get('apps.web.listen'), ['inherit', 'default'])
    assert.match(keys.get('routes.1.path')?.[1] ?? '', /:4$/)
    assert.equal(keys.has('app.workers'), false)
  })

  it('masks secrets wherever they come from', () => {
    const text = `app: { env: { TOKEN: abc-1, DATABASE: { file: /run/abc-2 } } }
upstreams: { up: { servers: ["a:1"] } }
dynamic_routes: { store: "redis://user:abc-3@h:1/", password: abc-4 }
tls: { acme: { domains: [a.test], directory: "https://u:abc-5@ca.test/", eab: { key_id: k, hmac_key: abc-6 } } }
`
    const keys = keysOf({
      ...yaml(text),
      env: { MONOHULL_TLS_ACME_EMAIL_FILE: '/run/abc-7' },
      readFile: () => 'abc-8@a.test',
    })
    assert.equal(JSON.stringify([...keys]).match(/abc-\d/)?.[0], undefined)
    assert.equal(keys.get('app.env.TOKEN')?.[0], '••••••')
    assert.deepEqual(keys.get('tls.acme.email'), ['••••••', 'MONOHULL_TLS_ACME_EMAIL_FILE'])
    assert.equal(keys.get('tls.acme.directory')?.[0], 'https://••••••@ca.test/')
  })
})
