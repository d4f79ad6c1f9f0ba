// needs: openssl
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { readClientAuthority, readRevocationList } from '../../../supervisor/front/client-authority.ts'
import {
  problemsOfClientCertificates,
  watchClientAuthorities,
} from '../../../supervisor/front/client-authority-watch.ts'
import { makeClientAuthority } from '../../client-authority.ts'
import { temporaryFolder } from '../../process/monohull.ts'
import { createHandClock } from '../hand-clock.ts'

const day = 86_400_000

function setUp(t: TestContext) {
  const folder = temporaryFolder(t)
  const { file, revoked } = makeClientAuthority(join(folder, 'ca'), 'Test clients')
  return { folder, ca: readFileSync(file, 'utf8'), crl: readFileSync(revoked, 'utf8') }
}

/** An intermediate CA, as PEM, that the root in a folder signed. */
function makeIntermediate(folder: string): string {
  const openssl = (...words: string[]) => execFileSync('openssl', words, { cwd: join(folder, 'ca'), stdio: 'pipe' })
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', 'sub.key']
  openssl('req', '-new', ...key, '-config', 'conf', '-subj', '/CN=Sub', '-out', 'sub.csr')
  const root = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-set_serial', '7', '-days', '5']
  openssl('x509', '-req', '-in', 'sub.csr', ...root, '-extfile', 'conf', '-extensions', 'v3_ca', '-out', 'sub.crt')
  return readFileSync(join(folder, 'ca/sub.crt'), 'utf8')
}

describe('front: CAs of client certificates', () => {
  it('are read from PEM, with their revocation lists; anything else is not', t => {
    const { ca, crl } = setUp(t)
    const authority = readClientAuthority(ca)
    const list = readRevocationList(crl)
    assert.equal(authority?.label, 'Test clients')
    assert.equal(authority?.subject, authority?.issuer)
    assert.equal(list?.issuer, authority?.subject)
    assert.ok(Math.abs((list?.nextUpdate ?? 0) - Date.now() - 30 * day) < day)
    for (const text of ['', '-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n', ca])
      assert.equal(readRevocationList(text), undefined)
  })

  it('reject everyone: an expired list, one from the future, a CA without a list, without its issuer, or expired', t => {
    const { folder, ca, crl } = setUp(t)
    const sub = makeIntermediate(folder)
    const find = (authorities: string, revoked: string | undefined, inDays = 0) =>
      problemsOfClientCertificates({ mode: 'required', authorities, revoked }, Date.now() + inDays * day + 60_000).map(
        ({ kind, problem }) => `${kind} ${problem}`,
      )
    assert.deepEqual(find(ca, crl), [])
    assert.deepEqual(find(ca + sub, undefined), [])
    assert.match(find(ca, crl, 25).join(), /^expires the revocation list of Test clients expires on/)
    assert.match(find(ca, crl, 31).join(), /the CA Test clients expired on .*rejects the revocation list .* expired on/)
    assert.match(find(ca, crl, -2).join(), /the CA .* is not valid before.*list of Test clients is not valid before/)
    assert.match(find(sub, undefined).join(), /^rejects the CA Sub is an intermediate one, and its issuer is missing/)
    assert.match(find(ca + sub, crl).join(), /^rejects there is no revocation list of the CA Sub/)
  })

  it('are watched: each problem is logged once, and its end', async t => {
    const { ca, crl } = setUp(t)
    const { clock, advance } = createHandClock()
    let offset = Date.now()
    let revoked: string | undefined = crl
    const lines: string[] = []
    const write = (message: string) => void lines.push(message)
    const watch = watchClientAuthorities({
      clock: { ...clock, now: () => offset },
      log: { debug: write, info: write, warn: write, error: write },
      current: () => ({ mode: 'required', authorities: ca, revoked }),
    })
    assert.deepEqual(watch.status(), { clientCertificates: { problems: [] } })
    offset += 29 * day
    await advance(180_000)
    assert.deepEqual(lines, ['client certificates will be rejected'])
    assert.equal(watch.status().clientCertificates?.problems.length, 1)
    revoked = undefined
    await advance(60_000)
    assert.deepEqual(lines.slice(1), ['client certificates are checked again'])
    watch.quiesce()
  })
})
