// needs: openssl
// before a release: five minutes of a core
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { makeIssuedCertificate } from '../make-issued-certificate.ts'
import { type Finding, findFlaws, testsslWords } from '../testssl.ts'
import { buildDerived, runToEnd, startContainer } from './docker.ts'

describe('the image as testssl.sh sees it', () => {
  it('deserves an A, and nothing is found', { timeout: 400_000 }, async t => {
    const scanner = await buildDerived(t, 'testssl')
    const folder = mkdtempSync(join(tmpdir(), 'monohull-testssl-'))
    t.after(() => rmSync(folder, { recursive: true }))
    makeIssuedCertificate(join(folder, 'certs'), 'one.test', join(folder, 'root.pem'))
    // whatever is compressed is found to be open to BREACH
    const args = ['--volume', `${join(folder, 'certs')}:/certs:ro`, '--env', 'MONOHULL_COMPRESSION=off']
    const container = await startContainer(t, { args })
    const place = ['--network', `container:${container.id}`, '--volume', `${folder}:/scan`, '--workdir', '/scan']
    const scanned = ['--add-ca', 'root.pem', '--jsonfile', 'report.json']
    const words = testsslWords({ name: 'one.test', address: '127.0.0.1', port: 443 })
    const { stderr } = await runToEnd(place, ['testssl', ...scanned, ...words], scanner)
    const findings = JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8')) as Finding[]
    assert.deepEqual(findFlaws(findings), [], stderr)
    assert.match(findings.find(({ id }) => id === 'overall_grade')?.finding ?? '', /^A/)
  })
})
