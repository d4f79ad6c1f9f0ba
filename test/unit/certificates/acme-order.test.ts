import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { systemClock } from '../../../supervisor/base/adapters/system-clock.ts'
import type {
  AcmeChallenge,
  AcmeClient,
  AcmeOrder,
  AcmeStore,
  ChallengeSolver,
} from '../../../supervisor/certificates/acme/authority.ts'
import { obtainCertificate } from '../../../supervisor/certificates/acme/order.ts'
import { AcmeError, type PublishedChallenge } from '../../../supervisor/certificates/acme/plan.ts'

describe('certificates/acme: orders', () => {
  const chain = 'a chain'
  const order = (status: AcmeOrder['status']): AcmeOrder => ({
    url: 'order',
    status,
    authorizations: ['authorization'],
    finalize: 'finalize',
    certificate: status === 'valid' ? 'certificate' : undefined,
    problem: undefined,
    retryAfterMs: undefined,
  })

  const quiet = () => {}
  const log = { debug: quiet, info: quiet, warn: quiet, error: quiet }
  const open: AcmeChallenge = { type: 'http-01', status: 'pending', url: 'c', token: 't', problem: undefined }
  const unexpected = () => assert.fail('not expected')
  const idle: ChallengeSolver = { type: 'http-01', present: unexpected, remove: unexpected }

  function setUp(change: Partial<AcmeClient> & Partial<AcmeStore> = {}, solver = idle) {
    const calls: string[] = []
    const client: AcmeClient = {
      newOrder: async (_domains, { replaces }) => {
        calls.push(`newOrder ${replaces}`)
        return order('ready')
      },
      order: async () => order('valid'),
      authorization: unexpected,
      keyAuthorization: unexpected,
      respond: unexpected,
      finalize: async () => {
        calls.push('finalize')
        return order('valid')
      },
      certificate: async () => chain,
      renewalInfo: unexpected,
      time: unexpected,
      ...change,
    }
    const store = {
      pendingKey: () => undefined,
      savePendingKey: (_name: string, key: string | undefined) => void calls.push(`keep ${key}`),
      ...change,
    } as AcmeStore
    const keys = {
      createKey: async () => 'key',
      createRequest: () => new Uint8Array(),
      certificateId: unexpected,
    }
    const obtain = (request: { replaces?: string; pendingOrder?: string; published?: PublishedChallenge } = {}) =>
      obtainCertificate(
        { client, store, keys, solver, log, clock: systemClock, signal: new AbortController().signal },
        {
          plan: { name: 'a.test', domains: ['a.test'] },
          settings: { keyType: 'ecdsa', profile: undefined },
          replaces: request.replaces,
          unfinished: { pendingOrder: request.pendingOrder, published: request.published },
          isResumeOnly: false,
          onProgress: change => {
            if ('pendingOrder' in change) calls.push(`note ${change.pendingOrder}`)
          },
        },
      )
    return { calls, obtain }
  }

  it('stores the key and the order before it requests the certificate', async () => {
    const { calls, obtain } = setUp()
    assert.deepEqual(await obtain(), { chain, key: 'key' })
    assert.deepEqual(calls, ['keep key', 'note undefined', 'newOrder undefined', 'note order', 'finalize'])
  })

  it('resumes an order of an earlier run with its key', async () => {
    const { calls, obtain } = setUp({ pendingKey: () => 'kept' })
    assert.deepEqual(await obtain({ pendingOrder: 'order' }), { chain, key: 'kept' })
    assert.deepEqual(calls, [])
  })

  it('places a new order if that one is invalid or unknown', async () => {
    const gone = async () => Promise.reject(new AcmeError('no such order', { type: 'malformed' }))
    for (const ask of [gone, async () => order('invalid')]) {
      const { calls, obtain } = setUp({ pendingKey: () => 'kept', order: ask })
      assert.equal((await obtain({ pendingOrder: 'order' })).key, 'key')
      assert.deepEqual(calls.slice(0, 4), ['note undefined', 'keep key', 'note undefined', 'newOrder undefined'])
    }
  })

  it('orders without `replaces` if the CA refuses it', async () => {
    const asked: (string | undefined)[] = []
    const { obtain } = setUp({
      newOrder: async (_domains, { replaces }) => {
        asked.push(replaces)
        if (replaces !== undefined) throw new AcmeError('replaced', { type: 'alreadyReplaced' })
        return order('ready')
      },
    })
    await obtain({ replaces: 'id' })
    assert.deepEqual(asked, ['id', undefined])
  })

  it('passes a rate limit of the CA to the caller', async () => {
    const limited = new AcmeError('later', { type: 'rateLimited', retryAfterMs: 5 })
    const { obtain } = setUp({ newOrder: () => Promise.reject(limited) })
    await assert.rejects(obtain({ replaces: 'id' }), limited)
  })

  it('reports why a validation failed, and removes the challenge', async () => {
    const shown: string[] = []
    let status: 'pending' | 'invalid' = 'pending'
    const challenge = { ...open, problem: 'connection refused' }
    const { obtain } = setUp(
      {
        newOrder: async () => order('pending'),
        authorization: async () => ({ status, domain: 'a.test', challenges: [challenge], retryAfterMs: 0 }),
        keyAuthorization: async () => 'proof',
        respond: async () => {
          status = 'invalid'
        },
      },
      {
        type: 'http-01',
        present: async domain => void shown.push(`present ${domain}`),
        remove: async domain => void shown.push(`remove ${domain}`),
      },
    )
    await assert.rejects(obtain(), /the validation of a\.test is invalid: connection refused/)
    assert.deepEqual(shown, ['present a.test', 'remove a.test'])
  })

  it('removes a challenge that was published only in part, and one of an earlier run', async () => {
    const shown: string[] = []
    const solver: ChallengeSolver = {
      type: 'dns-01',
      async present(domain) {
        shown.push(`present ${domain}`)
        throw new Error('the record is not visible yet')
      },
      remove: async (_domain, token) => void shown.push(`remove ${token}`),
    }
    const { obtain } = setUp(
      {
        newOrder: async () => order('pending'),
        authorization: async () => ({
          status: 'pending',
          domain: 'a.test',
          challenges: [{ ...open, type: 'dns-01' }],
          retryAfterMs: 0,
        }),
        keyAuthorization: async () => 'proof',
      },
      solver,
    )
    const published = { type: 'dns-01' as const, domain: 'a.test', token: 'earlier', keyAuthorization: 'proof' }
    await assert.rejects(obtain({ published }), /not visible yet/)
    assert.deepEqual(shown, ['remove earlier', 'present a.test', 'remove t'])
  })

  it('does not fail because a challenge cannot be removed', async () => {
    let isProved = false
    const { obtain } = setUp(
      {
        newOrder: async () => order('pending'),
        order: async () => order(isProved ? 'ready' : 'pending'),
        authorization: async () => ({
          status: isProved ? 'valid' : 'pending',
          domain: 'a.test',
          challenges: [open],
          retryAfterMs: 0,
        }),
        keyAuthorization: async () => 'proof',
        respond: async () => {
          isProved = true
        },
      },
      { type: 'http-01', present: async () => {}, remove: () => Promise.reject(new Error('the provider is down')) },
    )
    assert.equal((await obtain()).chain, chain)
  })
})
