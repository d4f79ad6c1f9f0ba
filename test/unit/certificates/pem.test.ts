// needs: openssl
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import fc from 'fast-check'
import { readPem } from '../../../supervisor/base/pem.ts'
import { readCertificate } from '../../../supervisor/certificates/adapters/files.ts'
import { makeCertificate } from '../../make-certificate.ts'

const names = { chain: 'tls.crt', key: 'tls.key' }
const bytes = (text: string) => new TextEncoder().encode(text)
const block = (label: string, body = 'QUJD') => `-----BEGIN ${label}-----\n${body}\n-----END ${label}-----\n`

describe('base: PEM', () => {
  it('normalizes blocks, whatever text surrounds them', () => {
    const odd = bytes(
      `\ufeffsome words\r\n${block('CERTIFICATE').replaceAll('\n', '\r\n')}more\n${block('PRIVATE KEY')}`,
    )
    const read = readPem(odd)
    assert.ok(read.ok)
    assert.deepEqual(read.blocks, [
      { label: 'CERTIFICATE', text: block('CERTIFICATE'), isEncrypted: false },
      { label: 'PRIVATE KEY', text: block('PRIVATE KEY'), isEncrypted: false },
    ])
  })

  const bad: [string, Uint8Array, RegExp][] = [
    ['nothing', new Uint8Array(0), /is empty/],
    ['DER', new Uint8Array([0x30, 0x82, 1, 2]), /is DER/],
    ['UTF-16', new Uint8Array([0xff, 0xfe, 0x2d, 0]), /UTF-16/],
    ['no end', bytes(block('CERTIFICATE').slice(0, 40)), /is cut off/],
    ['a block in a block', bytes(`-----BEGIN CERTIFICATE-----\n${block('CERTIFICATE')}`), /damaged|cut off/],
    ['no base64', bytes(block('CERTIFICATE', 'A?')), /is damaged inside its CERTIFICATE/],
  ]
  for (const [name, input, says] of bad) {
    it(`refuses ${name}`, () => {
      const read = readPem(input)
      assert.ok(!read.ok)
      assert.match(read.problem, says)
      assert.notEqual(read.fix, '')
    })
  }

  it('recognizes a passphrase in both formats', () => {
    const traditional = block('EC PRIVATE KEY', 'Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nQUJD')
    for (const text of [block('ENCRYPTED PRIVATE KEY'), traditional]) {
      const read = readPem(bytes(text))
      assert.ok(read.ok)
      assert.equal(read.blocks[0]?.isEncrypted, true)
    }
  })

  it('never throws', () => fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), input => void readPem(input))))
})

describe('certificates: reading damaged files', () => {
  let folder: string
  const good: Record<string, Buffer> = {}

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'monohull-pem-'))
    for (const [place, keyType] of [
      ['a', 'ecdsa'],
      ['b', 'rsa'],
    ] as const) {
      makeCertificate(join(folder, place), `${place}.test`, { ...names, keyType })
      for (const file of Object.values(names)) good[`${place}/${file}`] = readFileSync(join(folder, place, file))
    }
    execFileSync('openssl', ['pkey', '-in', 'a/tls.key', '-aes256', '-passout', 'pass:x', '-out', 'locked'], {
      cwd: folder,
    })
    execFileSync('openssl', ['x509', '-in', 'a/tls.crt', '-outform', 'der', '-out', 'der'], { cwd: folder })
    for (const file of ['locked', 'der']) good[file] = readFileSync(join(folder, file))
  })
  after(() => rmSync(folder, { recursive: true }))

  function read(chain: Uint8Array, key: Uint8Array) {
    writeFileSync(join(folder, names.chain), chain)
    writeFileSync(join(folder, names.key), key)
    return readCertificate(folder, names)
  }

  /** A file of pieces that are whole, cut, with a flipped byte, with CRLF, or with a byte order mark. */
  const piece = fc
    .tuple(
      fc.constantFrom('a/tls.crt', 'a/tls.key', 'b/tls.crt', 'b/tls.key', 'locked', 'der'),
      fc.constantFrom('whole', 'cut', 'flipped', 'crlf', 'marked'),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
    )
    .map(([name, damage, at]) => ({ name, damage, at }))

  function damaged({ name, damage, at }: { name: string; damage: string; at: number }): Buffer {
    const whole = good[name] ?? assert.fail()
    const position = Math.floor(whole.length * at)
    if (damage === 'cut') return whole.subarray(0, position)
    if (damage === 'crlf') return Buffer.from(whole.toString('latin1').replaceAll('\n', '\r\n'), 'latin1')
    if (damage === 'marked') return Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), whole])
    if (damage === 'whole') return whole
    const flipped = Buffer.from(whole)
    flipped[position] = (flipped[position] ?? 0) ^ 1
    return flipped
  }

  it('names the damaged file and its problem, or returns a matching pair; never throws', () => {
    const file = fc.array(piece, { minLength: 0, maxLength: 3 })
    fc.assert(
      fc.property(file, file, (chain, key) => {
        const result = read(Buffer.concat(chain.map(damaged)), Buffer.concat(key.map(damaged)))
        if (!result.ok) {
          assert.match(result.problem, /tls\.(crt|key) (is|contains|has|cannot) /)
          assert.notEqual(result.fix, '')
          return
        }
        assert.match(result.pem.chain, /^(-----BEGIN CERTIFICATE-----\n[\s\S]+?-----END CERTIFICATE-----\n)+$/)
        assert.match(result.pem.key, /^-----BEGIN PRIVATE KEY-----\n[\s\S]+-----END PRIVATE KEY-----\n$/)
        assert.equal(result.certificate.keyType, result.pem.key.length > 1000 ? 'rsa' : 'ecdsa')
      }),
      { numRuns: 300 },
    )
  })

  it('finds the key that matches a certificate in the file, at any position', () => {
    const both = Buffer.concat([good['b/tls.crt'] ?? assert.fail(), good['a/tls.crt'] ?? assert.fail()])
    const result = read(both, good['a/tls.key'] ?? assert.fail())
    assert.ok(result.ok)
    assert.deepEqual([result.certificate.subject, result.certificate.keyMatches], ['CN=a.test', true])
    assert.match(result.certificate.remarks.join(), /not served: CN=b\.test/)
  })
})
