// needs: openssl testssl.sh
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'
import { makeIssuedCertificate } from '../make-issued-certificate.ts'
import { fixture, startMonohull, temporaryFolder } from '../process/monohull.ts'
import { type Finding, findFlaws, testsslWords } from '../testssl.ts'

const run = promisify(execFile)

describe('what testssl.sh says', { concurrency: 2 }, () => {
  for (const profile of ['intermediate', 'modern']) {
    it(`of tls.profile ${profile}: nothing`, { timeout: 300_000 }, async t => {
      const folder = temporaryFolder(t)
      const root = join(folder, 'root.pem')
      makeIssuedCertificate(join(folder, 'certs'), 'one.test', root)
      const args = ['run', 'node', fixture('hello.cjs')]
      const monohull = startMonohull(t, { folder, args, env: { MONOHULL_TLS_PROFILE: profile } })
      const { httpsPort: port = 0 } = await monohull.serving()
      const report = join(folder, 'report.json')
      const words = testsslWords({ name: 'one.test', address: '127.0.0.1', port })
      // its exit code counts findings of any kind
      await run('testssl', ['--add-ca', root, '--jsonfile', report, ...words], { cwd: folder }).catch(() => {})
      const findings = JSON.parse(readFileSync(report, 'utf8')) as Finding[]
      assert.deepEqual(findFlaws(findings), [])
    })
  }
})
