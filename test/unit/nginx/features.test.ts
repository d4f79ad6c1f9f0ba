import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readDirectives } from '../../../supervisor/nginx/adapters/binary.ts'
import { type NginxFeatures, readFeatures } from '../../../supervisor/nginx/features.ts'

const no = () => false

describe('nginx/features', () => {
  const outputs: [string, Partial<NginxFeatures>][] = [
    [
      'nginx version: nginx/1.22.1\nbuilt with OpenSSL 3.0.17 1 Jul 2025\nTLS SNI support enabled',
      { version: '1.22.1', hasHttp2Directive: false, hasMlKem: false, rotatesTicketKeys: false },
    ],
    [
      'nginx version: nginx/1.26.3\nbuilt with OpenSSL 3.5.4 30 Sep 2025',
      { version: '1.26.3', hasHttp2Directive: true, hasMlKem: true, rotatesTicketKeys: true },
    ],
    [
      'nginx version: nginx/1.26.3\nbuilt with OpenSSL 3.0.15 3 Sep 2024 (running with OpenSSL 3.5.1 1 Jul 2025)',
      { version: '1.26.3', hasHttp2Directive: true, hasMlKem: true, rotatesTicketKeys: true },
    ],
    [
      'nginx version: nginx/1.25.0\nbuilt with OpenSSL 4.0.0',
      { version: '1.25.0', hasHttp2Directive: false, hasMlKem: true, rotatesTicketKeys: true },
    ],
    [
      'nginx version: nginx/1.25.1',
      { version: '1.25.1', hasHttp2Directive: true, hasMlKem: false, rotatesTicketKeys: true },
    ],
    [
      'nginx version: nginx/2.0.0 (Ubuntu)',
      { version: '2.0.0', hasHttp2Directive: true, hasMlKem: false, rotatesTicketKeys: true },
    ],
    ['something else', { version: '0.0.0', hasHttp2Directive: false, hasMlKem: false, rotatesTicketKeys: false }],
  ]
  for (const [text, features] of outputs) {
    it(`reads ${text.replaceAll('\n', ' | ')}`, () =>
      assert.deepEqual(readFeatures(text, no, no), {
        ...features,
        luaModules: undefined,
        hasStatus: false,
        brotliModule: undefined,
        brotliStaticModule: undefined,
        hasHttp3: false,
        hasMaxHeaders: false,
        hasKeepaliveMinTimeout: false,
      }))
  }

  it('finds directives in the binary', () => {
    const hasDirective = readDirectives(['/nonexistent', '/usr/sbin'])
    assert.deepEqual([hasDirective('worker_processes'), hasDirective('no_such_directive')], [true, false])
    assert.equal(readDirectives(['/nonexistent'])('worker_processes'), false)
    const features = readFeatures('nginx version: nginx/1.22.1', no, name => name === 'max_headers')
    assert.equal(features.hasMaxHeaders, true)
    assert.equal(features.hasKeepaliveMinTimeout, false)
  })

  it('finds Lua as modules or built in', () => {
    const debian =
      'nginx version: nginx/1.26.3\nconfigure arguments: --prefix=/usr/share/nginx --modules-path=/usr/lib/nginx/modules --with-threads'
    const files = ['/usr/lib/nginx/modules/ndk_http_module.so', '/usr/lib/nginx/modules/ngx_http_lua_module.so']
    assert.deepEqual(readFeatures(debian, path => files.includes(path), no).luaModules, files)
    assert.equal(readFeatures(debian, path => path === files[0], no).luaModules, undefined)
    assert.equal(readFeatures('nginx version: nginx/1.26.3', () => true, no).luaModules, undefined)
    const openresty = 'nginx version: openresty/1.27.1.1\nconfigure arguments: --add-module=../ngx_lua-0.10.27'
    assert.deepEqual(readFeatures(openresty, no, no).luaModules, [])
  })
})
