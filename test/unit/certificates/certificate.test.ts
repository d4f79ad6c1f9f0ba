import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  type CertificateFacts,
  type CertificateReading,
  chooseCertificates,
} from '../../../supervisor/certificates/certificate.ts'
import { findPairs } from '../../../supervisor/certificates/directory.ts'

const day = 86_400_000
const now = Date.UTC(2026, 10, 21)
const facts: CertificateFacts = {
  subject: 'CN=example.com',
  issuer: 'CN=Test CA',
  names: ['example.com', 'localhost'],
  serial: '01',
  notBefore: now - day,
  notAfter: now + 90 * day,
  keyMatches: true,
  keyType: 'ecdsa',
  id: '0123456789abcdef',
  fingerprint: 'AB:CD',
  remarks: [],
}
const read = (name: string, change: Partial<CertificateFacts> = {}): CertificateReading => ({
  ok: true,
  files: { chain: `${name}.crt`, key: `${name}.key` },
  certificate: { ...facts, id: name, ...change },
  pem: { chain: '', key: '' },
})

describe('certificates: findPairs', () => {
  const chainsOf = (names: string[]) => findPairs(names).pairs.map(pair => `${pair.chain}+${pair.key}`)

  it('knows the names of certbot, Kubernetes and OpenSSL, and any other', () => {
    assert.deepEqual(chainsOf(['fullchain.pem', 'privkey.pem', 'cert.pem', 'chain.pem', 'README']), [
      'fullchain.pem+privkey.pem',
    ])
    assert.deepEqual(chainsOf(['tls.crt', 'tls.key', 'ca.crt']), ['tls.crt+tls.key'])
    assert.deepEqual(chainsOf(['cert.pem', 'key.pem']), ['cert.pem+key.pem'])
    assert.deepEqual(chainsOf(['example.com.pem', 'example.com.key']), ['example.com.pem+example.com.key'])
    assert.deepEqual(chainsOf(['example.crt', 'example.key']), ['example.crt+example.key'])
  })

  it('lists the well-known pairs first, each once, then the others in order', () => {
    const names = [
      'b.crt',
      'b.key',
      'a.pem',
      'a.key',
      'key.pem',
      'cert.pem',
      'tls.key',
      'tls.crt',
      'privkey.pem',
      'fullchain.pem',
    ]
    assert.deepEqual(chainsOf(names), [
      'fullchain.pem+privkey.pem',
      'tls.crt+tls.key',
      'cert.pem+key.pem',
      'a.pem+a.key',
      'b.crt+b.key',
    ])
  })

  it('uses each key once', () => assert.deepEqual(chainsOf(['a.crt', 'a.pem', 'a.key']), ['a.crt+a.key']))

  it('finds nothing in an empty directory', () => assert.deepEqual(findPairs([]), { pairs: [], unpaired: [] }))

  it('names the files without a counterpart', () => {
    assert.deepEqual(findPairs(['fullchain.pem', 'other.key', 'notes.txt']), {
      pairs: [],
      unpaired: ['fullchain.pem', 'other.key'],
    })
  })

  it("ignores certbot's other files", () => {
    const names = ['cert.pem', 'chain.pem', 'fullchain.pem', 'privkey.pem', 'README']
    assert.deepEqual(findPairs(names).unpaired, [])
  })

  it('does not expect keys of CAs', () => {
    assert.deepEqual(findPairs(['tls.crt', 'tls.key', 'ca.crt', 'root-ca.pem', 'chain.pem']).unpaired, [])
    assert.deepEqual(findPairs(['cable.crt']).unpaired, ['cable.crt'])
  })
})

describe('certificates: chooseCertificates', () => {
  const chainsOf = ({ usable }: ReturnType<typeof chooseCertificates>) => usable.map(({ files }) => files.chain)

  it('chooses every usable certificate once, in order', () => {
    const again = read('c', { id: 'a' })
    const choice = chooseCertificates([read('b'), read('a'), again], now)
    assert.deepEqual(chainsOf(choice), ['b.crt', 'a.crt'])
    assert.deepEqual(choice.problems, [])
  })

  it('rejects unusable certificates, with the problem of each', () => {
    const unreadable: CertificateReading = {
      ok: false,
      files: { chain: 'e.crt', key: 'e.key' },
      problem: 'e.crt contains no PEM certificate',
      fix: 'convert it',
    }
    const choice = chooseCertificates(
      [
        read('a', { keyMatches: false }),
        read('b', { notAfter: now }),
        read('c', { notBefore: now + 1 }),
        unreadable,
        read('d'),
        read('f', { keyMatches: false }),
      ],
      now,
    )
    const { problems } = choice
    assert.deepEqual(chainsOf(choice), ['d.crt'])
    assert.deepEqual(
      problems.map(({ problem }) => problem),
      [
        'the key a.key does not belong to the certificate a.crt',
        'the certificate b.crt expired on 2026-11-21T00:00:00.000Z',
        'the certificate c.crt is not valid before 2026-11-21T00:00:00.001Z',
        'e.crt contains no PEM certificate',
        'the key f.key does not belong to the certificate f.crt',
      ],
    )
    for (const { fix } of problems) assert.notEqual(fix, '')
  })

  it('chooses none from none', () => assert.deepEqual(chooseCertificates([], now), { usable: [], problems: [] }))

  it('serves until the last millisecond', () => {
    assert.equal(chooseCertificates([read('a', { notAfter: now + 1, notBefore: now })], now).problems.length, 0)
  })
})
