import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { CertificateFacts } from '../../../supervisor/certificates/certificate.ts'
import type { Candidate } from '../../../supervisor/certificates/choice.ts'
import {
  areTrusted,
  type HstsProgress,
  hstsOf,
  nextProgress,
  readProgress,
} from '../../../supervisor/certificates/hsts/stages.ts'
import { watchHsts } from '../../../supervisor/certificates/hsts/watch.ts'
import { accepted, refusedOnce, yaml } from '../site/load-config.ts'

const dayMs = 86_400_000
const start = Date.UTC(2026, 10, 21)
const facts: CertificateFacts = {
  subject: 'CN=example.com',
  issuer: 'CN=Test CA',
  names: ['example.com'],
  serial: '01',
  notBefore: start - dayMs,
  notAfter: start + 4000 * dayMs,
  keyMatches: true,
  keyType: 'ecdsa',
  id: '0123456789abcdef',
  fingerprint: 'AB:CD',
  remarks: [],
}
const served = (source: Candidate['source'] = 'mounted', change: Partial<CertificateFacts> = {}): Candidate => ({
  source,
  certificate: { ...facts, ...change },
})
const staged = { maxAgeMs: undefined, includeSubdomains: false, preload: false }

describe('certificates/hsts: watch', () => {
  function setUp(rule: Parameters<typeof watchHsts>[0]['rule'] = staged, hasProxies = false, isOnDemand = false) {
    let now = start
    let kept: HstsProgress | undefined
    const clock = { now: () => now, monotonic: () => now, after: () => () => {} }
    const record = {
      read: () => kept,
      write: (progress: HstsProgress | undefined) => {
        kept = progress
      },
    }
    const open = () => watchHsts({ rule, hasProxies, isOnDemand, record, clock })
    return {
      open,
      wait: (ms: number) => {
        now += ms
      },
    }
  }

  it('begins with 5 minutes, and continues once the certificate has been valid for that long', () => {
    const { open, wait } = setUp()
    const watch = open()
    const told: (string | undefined)[] = []
    for (const ms of [0, 299_999, 1, 7 * dayMs - 1, 1, 30 * dayMs, 2000 * dayMs]) {
      wait(ms)
      if (watch.check([served()])) told.push(watch.header()?.value)
    }
    assert.deepEqual(told, ['max-age=300', 'max-age=604800', 'max-age=2592000', 'max-age=63072000'])
  })

  it('advances one stage at a time, however long there was no check', () => {
    const { open, wait } = setUp()
    open().check([served()])
    wait(400 * dayMs)
    const later = open()
    later.check([served()])
    assert.equal(later.header()?.value, 'max-age=604800')
  })

  it('ends with a certificate that browsers do not trust, and begins again with the next', () => {
    const bad = [served('local-ca'), served('mounted', { issuer: facts.subject }), served('acme', { notAfter: start })]
    for (const one of bad) {
      const { open, wait } = setUp()
      const watch = open()
      watch.check([served()])
      wait(dayMs)
      watch.check([served()])
      assert.equal(watch.header()?.value, 'max-age=604800')
      assert.equal(watch.check([served(), one]), true)
      assert.equal(watch.header(), undefined)
      watch.check([served()])
      assert.equal(watch.header()?.value, 'max-age=300')
    }
  })

  it('sends the configured values once the certificate is trusted', () => {
    const rule = { maxAgeMs: 730 * dayMs, includeSubdomains: true, preload: true }
    const watch = setUp(rule).open()
    assert.equal(watch.check([served('local-ca')]), false)
    assert.equal(watch.check([served('acme')]), true)
    assert.deepEqual(watch.header(), { value: 'max-age=63072000; includeSubDomains; preload', from: 'everywhere' })
    const off = setUp({ ...rule, maxAgeMs: 0, includeSubdomains: false, preload: false }).open()
    off.check([served()])
    assert.equal(off.header()?.value, 'max-age=0')
  })

  it('ignores only the local certificate with on-demand certificates', () => {
    const watch = setUp(staged, false, true).open()
    watch.check([served('local-ca')])
    assert.equal(watch.header()?.value, 'max-age=300')
    watch.check([served('local-ca'), served('acme', { notAfter: start })])
    assert.equal(watch.header(), undefined)
  })

  it('sends the configured values to clients of proxies, which have another certificate', () => {
    const watch = setUp({ ...staged, maxAgeMs: dayMs }, true).open()
    watch.check([served('local-ca')])
    assert.deepEqual(watch.header(), { value: 'max-age=86400', from: 'proxies' })
    const stages = setUp(staged, true).open()
    stages.check([served('local-ca')])
    assert.equal(stages.header(), undefined)
  })
})

describe('certificates/hsts: stages', () => {
  it('does not trust an empty list of certificates', () => assert.equal(areTrusted([], start), false))

  it('begins a stage again if the clock was set back', () => {
    assert.deepEqual(nextProgress({ stage: 2, since: start + 1 }, true, start), { stage: 2, since: start })
  })

  it('reads stored progress, and ignores a damaged file', () => {
    assert.deepEqual(readProgress('{"stage":1,"since":5,"more":1}'), { stage: 1, since: 5 })
    for (const text of ['', '{}', 'null', '{"stage":4,"since":5}', '{"stage":1,"since":"x"}', '{"stage":-1,"since":5}'])
      assert.equal(readProgress(text), undefined, text)
  })

  it('sends nothing before the first check', () => {
    assert.equal(hstsOf(staged, { progress: undefined, isTrusted: true, hasProxies: false }), undefined)
  })
})

describe('tls.hsts', () => {
  const hsts = (text: string) => yaml(`tls: {hsts: ${text}}\n`)

  it('is off, on in stages, or as configured', () => {
    assert.equal(accepted({}).tls.hsts, undefined)
    assert.equal(accepted(hsts('false')).tls.hsts, undefined)
    assert.deepEqual(accepted(hsts('true')).tls.hsts, staged)
    assert.deepEqual(accepted({ env: { MONOHULL_TLS_HSTS: 'true' } }).tls.hsts, staged)
    const all = accepted(hsts('{max_age: 730d, include_subdomains: true, preload: true}'))
    assert.deepEqual(all.tls.hsts, { maxAgeMs: 730 * dayMs, includeSubdomains: true, preload: true })
  })

  const wrong: [string, string, RegExp][] = [
    ['{preload: true}', 'tls.hsts.preload', /rejected by the preload lists without/],
    [
      '{max_age: 30d, include_subdomains: true, preload: true}',
      'tls.hsts.preload',
      /rejected by the preload lists without/,
    ],
    ['{max_age: 730d, preload: true}', 'tls.hsts.preload', /rejected by the preload lists without/],
    ['{max_age: forever}', 'tls.hsts.max_age', /expected a duration/],
    ['{maxage: 1d}', 'tls.hsts.maxage', /not a known key/],
    ['31536000', 'tls.hsts', /expected true, false or/],
  ]
  for (const [text, key, says] of wrong) {
    it(`refuses ${text}`, () => {
      const problem = refusedOnce(hsts(text))
      assert.equal(problem.key, key)
      assert.match(problem.problem, says)
      assert.notEqual(problem.fix, '')
    })
  }

  it('needs a proxy and max_age with https: off', () => {
    assert.match(refusedOnce(yaml('https: off\ntls: {hsts: true}\n')).problem, /never sent/)
    const proxies = 'https: off\ntrusted_proxies: [10.0.0.0/8]\n'
    assert.match(refusedOnce(yaml(`${proxies}tls: {hsts: true}\n`)).problem, /needs a certificate for its stages/)
    accepted(yaml(`${proxies}tls: {hsts: {max_age: 365d}}\n`))
  })

  it('is the only way to set it for all routes; a route can set its own time', () => {
    const header = 'headers: {Strict-Transport-Security: max-age=1}'
    const { problem, fix } = refusedOnce(yaml(`${header}\n`))
    assert.match(problem, /must be set with tls\.hsts/)
    assert.equal(fix, 'remove it, and set tls.hsts')
    accepted(yaml(`routes: [{path: /, app: app, ${header}}]\n`))
  })
})
