import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { findDefect } from '../../../supervisor/certificates/acme/acceptance.ts'
import type { UsableCertificate } from '../../../supervisor/certificates/certificate.ts'

const day = 86_400_000
const now = 1000 * day

function certificate(change: Partial<UsableCertificate['certificate']> = {}, links = 2) {
  const facts = { names: ['a.test', '*.b.test', '192.0.2.1'], keyMatches: true, issuer: 'CN=CA' }
  const text = '-----BEGIN CERTIFICATE-----\n'.repeat(links)
  return {
    certificate: { ...facts, notBefore: now - day, notAfter: now + 90 * day, ...change },
    pem: { chain: text, key: '' },
  } as UsableCertificate
}

describe('certificates/acme: what clients would reject replaces nothing', () => {
  const find = (issued: UsableCertificate, domains: string[], present?: UsableCertificate) =>
    findDefect({ plan: { name: domains[0] ?? '', domains }, issued, present, now })

  it('accepts a certificate that covers every name, also by *, and addresses in any form', () => {
    assert.equal(find(certificate(), ['a.test', 'x.b.test', '*.b.test', '192.0.2.1']), undefined)
    assert.equal(find(certificate({ names: ['A.test'] }), ['a.test']), undefined)
    assert.equal(find(certificate({ names: ['2001:db8:0:0:0:0:0:1'] }), ['2001:db8::1']), undefined)
  })

  it('rejects other names, another key, and times at which it is not valid', () => {
    assert.match(find(certificate(), ['a.test', 'c.test']) ?? '', /for a\.test, .*, not for c\.test$/)
    assert.match(find(certificate(), ['b.test']) ?? '', /not for b\.test$/)
    assert.match(find(certificate({ names: [] }), ['a.test']) ?? '', /for no name, not for a\.test$/)
    assert.match(find(certificate({ keyMatches: false }), ['a.test']) ?? '', /another key/)
    assert.match(find(certificate({ notAfter: now }), ['a.test']) ?? '', /expired on/)
    assert.match(find(certificate({ notBefore: now + day }), ['a.test']) ?? '', /not valid before/)
    assert.equal(find(certificate({ notBefore: now + 60_000 }), ['a.test']), undefined)
  })

  it('rejects one without the chain that the present one has, but not one of another CA', () => {
    assert.match(find(certificate({}, 1), ['a.test'], certificate()) ?? '', /no certificate of its own/)
    assert.equal(find(certificate({}, 1), ['a.test']), undefined)
    assert.equal(find(certificate({}, 1), ['a.test'], certificate({}, 1)), undefined)
    assert.equal(find(certificate({ issuer: 'CN=Root' }, 1), ['a.test'], certificate()), undefined)
  })
})
