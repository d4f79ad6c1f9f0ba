import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { systemClock } from '../../../supervisor/base/adapters/system-clock.ts'
import type {
  AcmeClient,
  AcmeOrder,
  AcmeStore,
  ChallengeSolver,
} from '../../../supervisor/certificates/acme/authority.ts'
import { obtainCertificate } from '../../../supervisor/certificates/acme/order.ts'
import { AcmeError } from '../../../supervisor/certificates/acme/plan.ts'

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
    const obtain = (request: { replaces?: string; pendingOrder?: string } = {}) =>
      obtainCertificate(
        { client, store, keys, solver, clock: systemClock, signal: new AbortController().signal },
        {
          plan: { name: 'a.test', domains: ['a.test'] },
          settings: { keyType: 'ecdsa', profile: undefined },
          replaces: request.replaces,
          pendingOrder: request.pendingOrder,
          onOrder: url => void calls.push(`note ${url}`),
        },
      )
    return { calls, obtain }
  }

  it('stores the key and the order before it requests the certificate', async () => {
    const { calls, obtain } = setUp()
    assert.deepEqual(await obtain(), { chain, key: 'key' })
    assert.deepEqual(calls, ['newOrder undefined', 'keep key', 'note order', 'finalize'])
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
      assert.equal(calls[0], 'newOrder undefined')
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
    const challenge = { type: 'http-01', url: 'c', token: 't', problem: 'connection refused' }
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
})
