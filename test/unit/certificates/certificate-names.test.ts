// needs: openssl
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { certificateStore } from '../../../supervisor/certificates/adapters/store.ts'
import { findMounted } from '../../../supervisor/certificates/search.ts'
import { makeCertificate } from '../../make-certificate.ts'

describe('certificates under the names and in the forms that tools write', () => {
  let folder: string
  const openssl = (...words: string[]) =>
    execFileSync('openssl', words, { cwd: folder, stdio: ['ignore', 'pipe', 'ignore'] })

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'monohull-names-'))
    makeCertificate(folder, 'a.test', { chain: 'c', key: 'k' })
    openssl('ec', '-in', 'k', '-outform', 'der', '-out', 'sec1')
    openssl('pkcs8', '-topk8', '-nocrypt', '-in', 'k', '-outform', 'der', '-out', 'pkcs8')
    openssl('x509', '-in', 'c', '-outform', 'der', '-out', 'der')
    openssl('crl2pkcs7', '-nocrl', '-certfile', 'c', '-out', 'pkcs7')
    openssl('x509', '-in', 'c', '-trustout', '-out', 'trusted')
    writeFileSync(join(folder, 'password'), 'to be kept\n')
    writeFileSync(join(folder, 'windows-password'), '\uFEFFto be kept\r\n')
    const archive = ['pkcs12', '-export', '-in', 'c', '-inkey', 'k']
    openssl(...archive, '-passout', 'pass:', '-out', 'pkcs12')
    openssl('pkcs12', '-export', '-in', 'c', '-nokeys', '-passout', 'pass:', '-out', 'keyless')
    openssl('pkcs12', '-export', '-inkey', 'k', '-nocerts', '-passout', 'pass:', '-out', 'certless')
    openssl(...archive, '-passout', 'file:password', '-out', 'locked')
    openssl(...archive, '-legacy', '-passout', 'file:password', '-out', 'legacy')
    const text = (name: string) => readFileSync(join(folder, name), 'utf8')
    writeFileSync(join(folder, 'both'), text('k') + text('c'))
    for (const name of ['c', 'k']) writeFileSync(join(folder, `literal-${name}`), text(name).replaceAll('\n', '\\n'))
    writeFileSync(join(folder, 'ssh'), text('k').replaceAll(/(BEGIN|END) (EC )?PRIVATE/g, '$1 OPENSSH PRIVATE'))
  })
  after(() => rmSync(folder, { recursive: true }))

  /** What is found where these files have these contents. */
  function find(files: Record<string, string>) {
    const place = mkdtempSync(join(folder, 'place-'))
    mkdirSync(place, { recursive: true })
    for (const [name, content] of Object.entries(files)) copyFileSync(join(folder, content), join(place, name))
    const { usable, problems } = findMounted(certificateStore, place, Date.now())
    return { names: usable.flatMap(({ certificate }) => certificate.names), problems }
  }

  for (const [what, files] of Object.entries({
    'in capitals': { 'SITE.CRT': 'c', 'SITE.KEY': 'k' },
    'in mixed letter case': { 'Site.Pem': 'c', 'site.KEY': 'k' },
    'of mkcert': { 'a.test+1.pem': 'c', 'a.test+1-key.pem': 'k' },
    'of ZeroSSL': { 'certificate.crt': 'c', 'ca_bundle.crt': 'c', 'private.key': 'k' },
    'of acme.sh': { 'fullchain.cer': 'c', 'a.test.cer': 'c', 'a.test.key': 'k', 'ca.cer': 'c' },
    'of Synology': { 'ECC-cert.pem': 'c', 'ECC-chain.pem': 'c', 'ECC-fullchain.pem': 'c', 'ECC-privkey.pem': 'k' },
    'of an older Synology': { 'cert.pem': 'c', 'privkey.pem': 'k', 'chain.pem': 'c' },
    'with the key in the same file': { 'a.test.pem': 'both', 'dhparam.pem': 'c' },
    'with a SEC1 key in DER': { 'site.crt': 'c', 'site.key': 'sec1' },
    'with a PKCS#8 key in DER': { 'site.crt': 'c', 'site.key': 'pkcs8' },
    'in DER': { 'site.cer': 'der', 'site.key': 'k' },
    'in PKCS#12 without a password': { 'site.pfx': 'pkcs12' },
    'in PKCS#12 with a password': { 'Site.P12': 'locked', 'Site.pass': 'password' },
    'in PKCS#12 with a password from Windows': { 'SITE.PFX': 'locked', 'SITE.PASS': 'windows-password' },
    'in PKCS#12 with old ciphers': { 'site.p12': 'legacy', 'site.pass': 'password' },
    'with line breaks as two characters': { 'site.pem': 'literal-c', 'site.key': 'literal-k' },
  } as Record<string, Record<string, string>>))
    it(`are used ${what}`, () => assert.deepEqual(find(files), { names: ['a.test'], problems: [] }))

  for (const [what, files, problem, fix] of [
    ['PKCS#12 without its password', { 'site.pfx': 'locked' }, /site\.pfx .*has a password/, /into \S+site\.pass/],
    [
      'PKCS#12 with a wrong password',
      { 'site.pfx': 'locked', 'site.pass': 'c' },
      /with the password in \S+\.pass/,
      /right/,
    ],
    ['damaged PKCS#12', { 'site.pfx': 'c' }, /site\.pfx is damaged/, /site\.pass/],
    ['PKCS#12 without a key', { 'site.p12': 'keyless' }, /^\S+site\.p12 contains .* no private key/, /as two files/],
    ['PKCS#12 without a certificate', { 'site.p12': 'certless' }, /^\S+site\.p12 contains .* no cert/, /as two files/],
    ['swapped files', { 'site.crt': 'k', 'site.key': 'c' }, /site\.crt contains a private key/, /swapped/],
    ['PKCS#7', { 'site.pem': 'pkcs7', 'site.key': 'k' }, /is PKCS#7/, /openssl pkcs7 -print_certs/],
    ['TRUSTED CERTIFICATE', { 'site.pem': 'trusted', 'site.key': 'k' }, /TRUSTED CERTIFICATE/, /openssl x509 -in/],
    ['a key of OpenSSH', { 'site.pem': 'c', 'site.key': 'ssh' }, /in the format of OpenSSH/, /ssh-keygen -p -m PEM/],
    ['a certificate without a key', { 'site.pem': 'c' }, /has no key next to it/, /mount both/],
    ['a key without a certificate', { 'site-key.pem': 'k' }, /the key .* has no certificate next to it/, /mount both/],
  ] as [string, Record<string, string>, RegExp, RegExp][])
    it(`are explained: ${what}`, () => {
      const { names, problems } = find(files)
      assert.deepEqual([names.length, problems.length], [0, 1])
      assert.match(problems[0]?.problem ?? '', problem)
      assert.match(problems[0]?.fix ?? '', fix)
    })
})
