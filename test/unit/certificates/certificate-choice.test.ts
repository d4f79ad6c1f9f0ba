import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { OperatorError } from '../../../supervisor/base/errors.ts'
import type { CertificateFacts } from '../../../supervisor/certificates/certificate.ts'
import {
  arrangeCertificates,
  askableNames,
  type Candidate,
  uncovered,
} from '../../../supervisor/certificates/choice.ts'
import { describeTimeLeft, expiryStage } from '../../../supervisor/certificates/expiry.ts'
import { retained } from '../../../supervisor/certificates/retention.ts'
import type { CertificateStore } from '../../../supervisor/certificates/search.ts'
import { findMounted } from '../../../supervisor/certificates/search.ts'

type Named = Candidate & { id: string }

function candidate(id: string, names: string[], change: Partial<CertificateFacts & Candidate> = {}): Named {
  const { source = 'mounted', ...facts } = change
  const certificate: CertificateFacts = {
    subject: '',
    issuer: '',
    names,
    serial: '',
    notBefore: 0,
    notAfter: 100,
    keyMatches: true,
    keyType: 'ecdsa',
    id,
    fingerprint: '',
    remarks: [],
    ...facts,
  }
  return { id, source, certificate }
}

function arranged(...candidates: [Named, ...Named[]]): Record<string, string> {
  const { fallback, named } = arrangeCertificates(candidates)
  const describeSet = ({ names, certificates }: typeof fallback) =>
    [names.join(' '), certificates.map(({ id }) => id).join('+')] as const
  return { ...Object.fromEntries(named.map(describeSet)), default: describeSet(fallback).join(': ') }
}

describe('certificates: choice', () => {
  it('serves every name with the only certificate', () => {
    assert.deepEqual(arranged(candidate('a', ['a.test', 'b.test'])), { default: 'a.test b.test: a' })
    assert.deepEqual(arranged(candidate('a', [])), { default: ': a' })
  })

  it('assigns each name its own; the first is the fallback', () => {
    assert.deepEqual(arranged(candidate('a', ['a.test']), candidate('b', ['b.test', '*.b.test'])), {
      default: 'a.test: a',
      'b.test *.b.test': 'b',
    })
  })

  it('pairs key types, and only for the names that both have', () => {
    assert.deepEqual(arranged(candidate('a', ['a.test', 'b.test']), candidate('r', ['a.test'], { keyType: 'rsa' })), {
      default: 'a.test: a+r',
      'b.test': 'a',
    })
  })

  it('prefers the later of two for a name, even over the first', () => {
    const [old, next] = [candidate('old', ['a.test']), candidate('new', ['a.test'], { notBefore: 1 })]
    assert.deepEqual(arranged(old, next), { default: 'a.test: new' })
    assert.deepEqual(arranged(next, old), { default: 'a.test: new' })
  })

  it('prefers a mounted certificate over an issued one, whatever its date and key', () => {
    const earned = candidate('acme', ['a.test', 'b.test'], { source: 'acme', notBefore: 50, keyType: 'rsa' })
    assert.deepEqual(arranged(candidate('mine', ['a.test']), earned), { default: 'a.test: mine', 'b.test': 'acme' })
  })

  it('finds the names that no certificate covers', () => {
    const certificates = [['a.test'], ['*.b.test', 'b.test']].map(names => ({ names }))
    const hosts = ['A.test', 'b.test', 'x.b.test', '*.b.test', 'x.y.b.test', 'c.test', '*.c.test', '192.0.2.1']
    assert.deepEqual(uncovered(hosts, certificates), ['x.y.b.test', 'c.test', '*.c.test'])
  })

  it('only considers host names', () => {
    const names = [
      'Example.COM',
      '*.example.com',
      '127.0.0.1',
      '::1',
      'a b',
      'x";evil',
      'a.*.b',
      '*',
      'a..b',
      'a.'.repeat(130),
    ]
    assert.deepEqual(askableNames({ names }), ['example.com', '*.example.com'])
  })
})

describe('certificates: retention', () => {
  const files = (name: string) => ({ files: { chain: `${name}.crt`, key: `${name}.key` } })
  const problem = (name: string) => ({ ...files(name), problem: 'half written', fix: 'again' })

  it('keeps certificates that are broken now, but not those removed or replaced', () => {
    const served = [files('broken'), files('removed'), files('good'), files('keyless')]
    const lonely = { files: { chain: 'keyless.crt', key: '' }, problem: 'lonely', fix: '' }
    assert.deepEqual(retained(served, [files('good')], [problem('broken'), lonely]), [
      files('broken'),
      files('keyless'),
    ])
  })

  it('keeps everything in an unreadable directory', () => {
    const served = ['/certs/a/tls', '/certs/ab/tls', '/certs/tls'].map(files)
    const folder = { files: { chain: '/certs/a', key: '' }, problem: 'EACCES', fix: '' }
    assert.deepEqual(retained(served, [], [folder]), [files('/certs/a/tls')])
    assert.deepEqual(retained(served, [], [{ ...folder, files: { chain: '/certs', key: '' } }]), served)
    assert.deepEqual(retained(served, [], [{ ...folder, files: { chain: '', key: '' } }]), [])
  })

  it('keeps a pair whose certificate is gone and whose key exists', () => {
    const lonely = { files: { chain: 'a.key', key: '' }, problem: 'lonely', fix: '' }
    assert.deepEqual(retained([files('a')], [], [lonely]), [files('a')])
  })
})

describe('certificates: findMounted', () => {
  it('reports an unreadable directory, and searches the others', () => {
    const list = (directory: string) => {
      if (directory === '/certs/lost') throw new OperatorError('cannot read /certs/lost', { fix: 'let it' })
      return directory === '/certs'
        ? { files: [], directories: ['lost', 'shop'] }
        : { files: ['tls.key'], directories: [] }
    }
    const { problems } = findMounted({ list } as unknown as CertificateStore, '/certs', 0)
    assert.deepEqual(
      problems.map(({ problem }) => problem),
      ['cannot read /certs/lost', 'the key /certs/shop/tls.key has no certificate next to it'],
    )
    assert.deepEqual(findMounted({ list } as unknown as CertificateStore, '/certs/lost', 0).problems.length, 1)
  })
})

describe('certificates: expiry', () => {
  it('counts a third, a tenth and a twentieth of the lifetime', () => {
    const at = (now: number) => expiryStage({ notBefore: 0, notAfter: 60 }, now)
    assert.deepEqual([0, 39, 40, 53, 54, 56, 57, 59, 60, 99].map(at), [0, 0, 1, 1, 2, 2, 3, 3, 4, 4])
  })

  it('describes the time left', () => {
    const day = 86_400_000
    assert.deepEqual(
      [29.5 * day, 2 * day, 1.9 * day, 3_600_000, 119_000, 60_000, 5000, 0, -day].map(describeTimeLeft),
      [
        '29 days',
        '2 days',
        '45 hours',
        '60 minutes',
        '1 minute',
        '1 minute',
        'less than a minute',
        'nothing',
        'nothing',
      ],
    )
  })
})
