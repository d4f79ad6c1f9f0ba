import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { inProtocol, type Protocol, passTo } from '../../../supervisor/nginx/protocol.ts'

const snippet = (name: string) =>
  readFileSync(join(import.meta.dirname, '../../../nginx/snippets', `${name}.conf`), 'utf8').split('\n')

/** Headers that are about the connection to the app, which other protocols do not have. */
const ofConnection = /^proxy_set_header (Connection|Upgrade) /

/** Names and values, in any layout. */
const settings = (lines: readonly string[], directive: string) =>
  lines
    .filter(line => line.startsWith(`${directive} `))
    .map(line => line.replace(/ if_not_empty;$/, ';'))
    .sort()

describe('nginx/protocol', () => {
  it('passes requests on by the directive and scheme of each protocol', () => {
    assert.equal(passTo('http', 'app_web', { uri: '$path' }), 'proxy_pass http://app_web$path;')
    assert.equal(passTo('grpc', 'app_web', { tls: true, uri: '$path' }), 'grpc_pass grpcs://app_web;')
    assert.equal(passTo('uwsgi', 'app_web'), 'uwsgi_pass uwsgi://app_web;')
    assert.equal(passTo('fastcgi', 'app_web'), 'fastcgi_pass app_web;')
  })

  it('has the lines of other protocols for those of HTTP, and none where nginx has none', () => {
    const lines = ['proxy_read_timeout 1s;', 'proxy_buffering off;', 'proxy_redirect a b;', 'auth_basic off;']
    assert.deepEqual(inProtocol('http', lines), lines)
    assert.deepEqual(inProtocol('grpc', lines), ['grpc_read_timeout 1s;', 'auth_basic off;'])
    assert.deepEqual(inProtocol('uwsgi', lines), ['uwsgi_read_timeout 1s;', 'uwsgi_buffering off;', 'auth_basic off;'])
    assert.deepEqual(inProtocol('grpc', ['proxy_set_header A $b;']), ['grpc_set_header A $b;'])
    assert.deepEqual(inProtocol('fastcgi', ['proxy_set_header A-B $c;']), ['fastcgi_param HTTP_A_B $c if_not_empty;'])
  })

  // a header that is overwritten for HTTP only could be forged for apps of other protocols
  for (const [protocol, directive] of [
    ['grpc', 'grpc_set_header'],
    ['uwsgi', 'uwsgi_param'],
    ['fastcgi', 'fastcgi_param'],
  ] as [Protocol, string][])
    it(`sets the headers of proxy.conf for ${protocol} too`, () => {
      const expected = (name: string) => {
        const ofHttp = snippet(name).filter(line => !ofConnection.test(line))
        return settings(inProtocol(protocol, ofHttp), directive)
      }
      const own = new Set(settings(snippet(protocol), directive))
      assert.deepEqual(
        expected('proxy').filter(line => !own.has(line)),
        [],
      )
      const ofCertificate = settings(snippet(`client-certificate-${protocol}`), directive)
      assert.deepEqual(ofCertificate, expected('client-certificate'))
    })
})
