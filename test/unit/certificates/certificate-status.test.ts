// needs: openssl
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { describe, it } from 'node:test'
import { readCertificate } from '../../../supervisor/certificates/adapters/files.ts'
import {
  describeCertificates,
  describeServedNames,
  formatCertificates,
} from '../../../supervisor/certificates/status.ts'
import { temporaryFolder } from '../../process/monohull.ts'
import { refusedOnce, yaml } from '../site/load-config.ts'

describe('certificates: status', () => {
  it('shows a certificate that is not ordered without a time', () => {
    const nothing = { kept: [], arrangement: { fallback: { names: [], certificates: [] }, named: [] }, problems: [] }
    const why = 'a mounted certificate covers these names'
    const plan = { name: 'a.test', domains: ['a.test'], nextAt: undefined, why, lastError: undefined }
    const found = describeCertificates({ ...nothing, localAuthority: undefined }, { planned: [plan], onDemand: [] }, 0)
    assert.equal(found.awaited[0]?.at, undefined)
    assert.match(formatCertificates(found), /^not ordered: a\.test: a mounted certificate covers these names$/m)
  })

  it('names the served certificates, or why there is none', () => {
    const nothing = { served: [], awaited: [], problems: [] }
    const served = [{ names: ['a.test', 'b.test'] }, { names: ['c.test'] }]
    assert.deepEqual(
      [
        describeServedNames({ ...nothing, served }),
        describeServedNames({ ...nothing, problems: ['https is off'] }),
        describeServedNames({ ...nothing, awaited: [{ name: 'a.test' }] as never }),
        describeServedNames(nothing),
      ],
      [
        'the served ones are for a.test, b.test, c.test',
        'none is served; https is off',
        'none is served; awaited: a.test',
        'none is served',
      ],
    )
  })

  it('warns of a certificate that demands OCSP stapling', t => {
    const folder = temporaryFolder(t)
    const make = (...words: string[]) => {
      const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', 'k.pem']
      const name = ['-subj', '/CN=a.test', '-addext', 'subjectAltName=DNS:a.test']
      execFileSync('openssl', ['req', '-x509', ...key, ...name, ...words, '-out', 'c.pem'], {
        cwd: folder,
        stdio: 'pipe',
      })
      const read = readCertificate(folder, { chain: 'c.pem', key: 'k.pem' })
      return read.ok ? read.certificate.remarks.join() : read.problem
    }
    assert.match(make('-addext', 'tlsfeature=status_request'), /requires OCSP stapling \(must-staple\)/)
    assert.equal(make('-addext', 'tlsfeature=17'), '')
    assert.equal(make(), '')
  })
})

describe('tls.acme.domains', () => {
  it('says which of two equal domains to remove', () => {
    const problem = refusedOnce(yaml('tls: {acme: {domains: [a.test, A.test]}}\n'))
    assert.deepEqual([problem.key, problem.fix], ['tls.acme.domains', 'remove one a.test'])
  })
})
