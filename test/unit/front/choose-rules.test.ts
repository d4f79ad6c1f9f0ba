import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { frontRules } from '../../../supervisor/front/choose-rules.ts'
import { readFeatures } from '../../../supervisor/nginx/features.ts'
import { accepted, yaml } from '../site/load-config.ts'

const no = () => false
const old = readFeatures('nginx version: nginx/1.22.1\nconfigure arguments: --with-http_v2_module', no, no)
const brotli = '/usr/lib/nginx/modules/ngx_http_brotli_filter_module.so'
const current = readFeatures(
  'nginx version: nginx/1.26.3\nconfigure arguments: --with-http_v2_module --with-http_v3_module --modules-path=/usr/lib/nginx/modules',
  path => path === brotli,
  no,
)

function rules(text: string, features = current) {
  return frontRules(accepted(yaml(text)), {
    files: { passwords: undefined, errorPages: new Map(), sendFiles: new Map(), clientCertificates: undefined },
    features,
    publicPort: 8443,
    requests: 100,
    hosts: [],
  })
}

describe('front/choose-rules', () => {
  it('omits features that the installed nginx lacks and the keys do not require', () => {
    assert.equal(rules('', old).compression?.hasBrotli, false)
    assert.equal(rules('').compression?.hasBrotli, true)
    assert.equal(rules('compression: {brotli: off}').compression?.hasBrotli, false)
    assert.equal(rules('compression: off').compression, undefined)
  })

  it('has the default headers, unless the configuration overrides them in any case', () => {
    const names = (text: string) => rules(text).headers.map(({ name, value }) => `${name}: ${value}`)
    assert.deepEqual(names(''), ['X-Content-Type-Options: nosniff', 'Referrer-Policy: strict-origin-when-cross-origin'])
    assert.deepEqual(names('headers: {referrer-policy: no-referrer, X-Content-Type-Options: off, x-own: a}'), [
      'Referrer-Policy: no-referrer',
      'X-Own: a',
    ])
  })

  it('announces HTTP/3 at the port that clients see', () => {
    assert.equal(rules('').http3, undefined)
    assert.deepEqual(rules('http3: true').http3, { publicPort: 8443 })
  })

  it('rejects required features that the installed nginx lacks', () => {
    assert.throws(() => rules('compression: {brotli: on}', old), {
      name: 'OperatorError',
      message: 'cannot compress with Brotli: the installed nginx has no module for it',
      fix: 'apt-get install libnginx-mod-http-brotli-filter, or remove compression.brotli',
    })
    assert.throws(() => rules('http3: true', old), {
      name: 'OperatorError',
      message: 'cannot serve HTTP/3: the installed nginx 1.22.1 is built without it',
      fix: 'use the image, or Debian 13 with nginx 1.26, or remove http3',
    })
  })
})
