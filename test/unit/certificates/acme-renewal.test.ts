import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type AcmeRecord, directoryNameOf, newRecord, nextStep } from '../../../supervisor/certificates/acme/plan.ts'
import { planRenewal, type RenewalFacts, readRetryAfter } from '../../../supervisor/certificates/acme/renewal.ts'

const day = 86_400_000
const now = Date.UTC(2026, 10, 21)
const certificate = { id: 'abc', notBefore: now, notAfter: now + 90 * day }

describe('certificates/acme: planRenewal', () => {
  const plan = (change: Partial<RenewalFacts> = {}) =>
    planRenewal({ certificate, previous: undefined, info: undefined, now, random: 0.5, ...change })
  const info = (from: number, to: number, change = {}) => ({
    window: { start: now + from * day, end: now + to * day },
    retryAfterMs: 3_600_000,
    explanation: undefined,
    ...change,
  })

  it('renews after two thirds of the lifetime, or half of a short one, and up to a twentieth earlier', () => {
    assert.equal(plan({ random: 0 }).at, now + 60 * day)
    assert.equal(plan({ random: 1 }).at, now + 55.5 * day)
    const short = { ...certificate, notAfter: now + 6 * day }
    assert.deepEqual(
      [plan({ certificate: short, random: 0 }).at, plan({ certificate: short }).why],
      [now + 3 * day, 'half of the lifetime'],
    )
    const border = { ...certificate, notAfter: now + 10 * day }
    assert.equal(plan({ certificate: border }).why, 'half of the lifetime')
  })

  it('chooses a random time in the window, once', () => {
    const first = plan({ info: info(10, 20) })
    assert.deepEqual([first.at, first.askAgainAt], [now + 15 * day, now + 3_600_000])
    assert.equal(plan({ info: info(10, 20), previous: first, random: 0.9 }).at, first.at)
    assert.equal(plan({ info: info(10, 21), previous: first, random: 0 }).at, now + 10 * day)
    assert.equal(plan({ info: info(10, 20), previous: { ...first, of: 'another' }, random: 0 }).at, now + 10 * day)
  })

  it('keeps the plan while the CA does not respond, and asks again', () => {
    const first = plan({ info: info(10, 20) })
    const later = plan({ previous: first, now: now + day })
    assert.deepEqual([later.at, later.askAgainAt], [first.at, now + day + 6 * 3_600_000])
  })

  it('ignores an impossible window', () => {
    assert.equal(plan({ info: info(20, 10) }).window, undefined)
    assert.equal(plan({ info: info(90, 99) }).window, undefined)
  })

  it('renews before expiry, however long the window', () => {
    assert.equal(plan({ info: info(10, 9999), random: 1 }).at, now + 81 * day)
    assert.equal(plan({ info: info(85, 9999), random: 1 }).at, now + 85 * day)
  })

  it('gives the reason, with the explanation of the CA', () => {
    assert.match(
      plan({ info: info(-2, -1, { explanation: 'https://ca.test/incident' }) }).why,
      /at once; https:\/\/ca\.test/,
    )
  })

  it('asks at most once a minute and at least once a day', () => {
    assert.equal(plan({ info: info(1, 2, { retryAfterMs: 0 }) }).askAgainAt, now + 60_000)
    assert.equal(plan({ info: info(1, 2, { retryAfterMs: 99 * day }) }).askAgainAt, now + day)
  })

  it('reads Retry-After in both forms', () => {
    assert.equal(readRetryAfter('120', now), 120_000)
    assert.equal(readRetryAfter(new Date(now + 5000).toUTCString(), now), 5000)
    assert.deepEqual([readRetryAfter('soon', now), readRetryAfter(undefined, now)], [undefined, undefined])
  })
})

describe('certificates/acme: nextStep', () => {
  const record = (change: Partial<AcmeRecord> = {}): AcmeRecord => ({ ...newRecord('w'), ...change })
  const renewal = { of: 'abc', at: now + day, why: 'reason', window: undefined, askAgainAt: now + day / 4 }

  it('orders a missing certificate, and waits after a failure', () => {
    assert.deepEqual(nextStep(record(), undefined, now), { kind: 'order', why: 'there is no certificate yet' })
    assert.equal(nextStep(record({ retryAt: now + 1 }), undefined, now).kind, 'wait')
    assert.equal(nextStep(record({ retryAt: now }), undefined, now).kind, 'order')
  })

  it('asks the CA for its window repeatedly, and again for a new certificate', () => {
    assert.equal(nextStep(record(), certificate, now).kind, 'ask')
    assert.equal(nextStep(record({ renewal }), certificate, now).kind, 'wait')
    assert.equal(nextStep(record({ renewal }), certificate, renewal.askAgainAt).kind, 'ask')
    assert.equal(nextStep(record({ renewal: { ...renewal, of: 'old' } }), certificate, now).kind, 'ask')
  })

  it('renews when due', () => {
    const due = { ...renewal, at: now - 1, askAgainAt: now + 1 }
    assert.deepEqual(nextStep(record({ renewal: due }), certificate, now), { kind: 'order', why: 'reason' })
  })

  it('names a directory for each certificate', () => {
    assert.deepEqual(['*.Shop.test', 'a.test'].map(directoryNameOf), ['_.shop.test', 'a.test'])
  })
})
