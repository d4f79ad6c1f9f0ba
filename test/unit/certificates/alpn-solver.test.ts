import assert from 'node:assert/strict'
import { createHash, createPrivateKey, X509Certificate } from 'node:crypto'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { challengeCertificate, createAlpnSolver } from '../../../supervisor/certificates/acme/adapters/alpn-solver.ts'
import { temporaryFolder } from '../../process/monohull.ts'

describe('certificates/acme/adapters/alpn-solver', () => {
  it('proves control by a critical extension with the hash of the key authorization, for this name alone', () => {
    const { chain, key } = challengeCertificate('one.test', 'token.thumbprint', Date.now())
    const certificate = new X509Certificate(chain)
    assert.equal(certificate.subjectAltName, 'DNS:one.test')
    assert.ok(certificate.checkPrivateKey(createPrivateKey(key)))
    const hash = createHash('sha256').update('token.thumbprint').digest('hex')
    // 1.3.6.1.5.5.7.1.31, TRUE, OCTET STRING in OCTET STRING
    assert.ok(certificate.raw.toString('hex').includes(`06082b0601050507011f0101ff04220420${hash}`))
  })

  it('writes files that no other user reads, and removes them', async t => {
    const directory = join(temporaryFolder(t), 'alpn')
    const solver = createAlpnSolver(directory, undefined, Date.now)
    await solver.present('One.test', 'token', 'token.thumbprint')
    assert.deepEqual(readdirSync(directory), ['one.test.pem'])
    assert.equal(statSync(join(directory, 'one.test.pem')).mode & 0o007, 0)
    await solver.remove('One.test', 'token', 'token.thumbprint')
    assert.deepEqual(readdirSync(directory), [])
  })
})
