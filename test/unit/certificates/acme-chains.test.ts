// needs: openssl
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { alternatesIn, chainEndsAt } from '../../../supervisor/certificates/acme/adapters/chains.ts'
import { keyMaker } from '../../../supervisor/certificates/acme/adapters/key-maker.ts'
import { arrangeCertificates, covers } from '../../../supervisor/certificates/choice.ts'
import { makeCertificate } from '../../make-certificate.ts'
import { temporaryFolder } from '../../process/monohull.ts'

describe('certificates/acme: chains', () => {
  it('end at the CA that issued their last certificate, and at no other in them', t => {
    const folder = temporaryFolder(t)
    for (const name of ['leaf', 'Root X1', 'Root X3'])
      makeCertificate(folder, name.replace(' ', '-'), { chain: `${name}.pem`, key: `${name}.key` })
    const read = (name: string) => readFileSync(join(folder, `${name}.pem`), 'utf8')
    const long = read('leaf') + read('Root X1') + read('Root X3')
    assert.equal(chainEndsAt(long, 'Root-X3'), true)
    assert.equal(chainEndsAt(long, 'Root-X1'), false)
    assert.equal(chainEndsAt(read('leaf') + read('Root X1'), 'Root-X1'), true)
    assert.equal(chainEndsAt(read('leaf') + read('Root X1'), 'Root'), false)
    assert.equal(chainEndsAt('', 'Root-X1'), false)
  })

  it('have alternates in the Link header', () => {
    const header = '<https://ca.test/dir>;rel="index", </cert/1/1>;rel="alternate", <https://ca.test/2>; rel=alternate'
    assert.deepEqual(alternatesIn(header), ['/cert/1/1', 'https://ca.test/2'])
    assert.deepEqual(alternatesIn(undefined), [])
    assert.deepEqual(alternatesIn('<x>;rel="alternates"'), [])
  })
})

describe('certificates for addresses', () => {
  it('are requested with addresses, not with host names', async t => {
    const folder = temporaryFolder(t)
    const key = await keyMaker.createKey('ecdsa')
    const request = keyMaker.createRequest(key, ['a.test', '192.0.2.1', '2001:db8::1'])
    const words = ['req', '-inform', 'der', '-noout', '-text', '-verify']
    const text = execFileSync('openssl', words, { input: request, cwd: folder, encoding: 'utf8', stdio: 'pipe' })
    assert.match(text, /DNS:a\.test, IP Address:192\.0\.2\.1, IP Address:2001:DB8:0:0:0:0:0:1/)
  })

  it('cover these addresses, and are served to clients that request no name', () => {
    const names = ['2001:db8::1', '192.0.2.1']
    assert.deepEqual([covers({ names }, '2001:DB8::1'), covers({ names }, '192.0.2.2')], [true, false])
    const one = (source: 'acme' | 'mounted', ...own: string[]) =>
      ({ source, certificate: { names: own, keyType: 'ecdsa', notBefore: 0 } }) as never
    const first = one('acme', 'a.test')
    const other = one('acme', '192.0.2.1')
    assert.deepEqual(arrangeCertificates([first, other]).fallback.certificates, [other])
    assert.deepEqual(arrangeCertificates([first, other]).named[0]?.names, ['a.test'])
    const mounted = one('mounted', 'a.test')
    assert.deepEqual(arrangeCertificates([mounted, other]).fallback.certificates, [mounted])
  })
})
