// needs: pebble
// before a release: half a minute of a core for what a CA seldom does
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { type Reply, startAuthority, type Tamper } from './acme-authority.ts'
import type { CaFault } from './acme-faults.ts'
import { createWorld, serveChallenges } from './acme-world.ts'

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

describe('reports from the trackers of other ACME clients', () => {
  const setUp = async (t: TestContext) => {
    const authority = await startAuthority(t)
    const world = createWorld(t, authority, await serveChallenges(t, authority), ['a.test'])
    t.after(() => world.close())
    /** Changes responses on their way, beside what the world does. */
    const change = (act: (path: string, body: string, pass: () => Promise<Reply>) => ReturnType<Tamper>) => {
      const inner = authority.behaviour.tamper
      authority.behaviour.tamper = (path, body, pass) =>
        act(path, body, async () => (await inner?.(path, body, pass)) as Reply)
    }
    return { ...world, authority, change }
  }
  const problem = (status: number, type: string, detail = ''): Reply => ({
    ...{ status, headers: {} },
    text: JSON.stringify({ type, detail }),
  })
  const payload = (body: string) => Buffer.from(JSON.parse(body).payload, 'base64url').toString()

  for (const type of ['urn:ietf:params:acme:error:conflict', 'urn:ietf:params:acme:error:unauthorized'])
    it(`certmagic 361, lego 2789, getssl 908: a renewal whose \`replaces\` meets ${type.slice(27)} is ordered without it`, async t => {
      const { advance, acme, served, change, authority } = await setUp(t)
      authority.behaviour.window = { start: new Date(Date.now() + 30 * day), end: new Date(Date.now() + 31 * day) }
      change(async (path, body, pass) => {
        if (path === '/order-plz' && payload(body).includes('replaces')) return problem(409, type)
        return pass()
      })
      await advance(minute)
      const first = served.get('a.test')
      void acme().renew('a.test', 'forced')
      await advance(minute)
      assert.notEqual(served.get('a.test'), first)
    })

  /** As an order that is finalized, and never valid. */
  const stuck = async (path: string, pass: () => Promise<Reply>) => {
    const reply = await pass()
    const isOrder = path.startsWith('/finalize-order') || path.startsWith('/my-order')
    if (!isOrder) return reply
    return {
      ...reply,
      headers: { ...reply.headers, 'retry-after': '60' },
      text: reply.text.replace('"valid"', '"processing"'),
    }
  }

  it('acme.sh 6103, 5233, boulder 3403: an order stuck in processing is resumed for a day, and then another is placed', async t => {
    const { advance, orders, served, change } = await setUp(t)
    let isStuck = true
    change((path, _body, pass) => (isStuck ? stuck(path, pass) : pass()))
    await advance(20 * hour)
    assert.deepEqual([orders.length, served.size], [1, 0])
    await advance(20 * hour)
    assert.deepEqual([orders.length, served.size], [2, 0])
    isStuck = false
    await advance(7 * hour)
    assert.deepEqual([orders.length, served.size], [2, 1])
  })

  it('cert-manager 7583: an order that is processing for hours, because a person approves it, is not placed again', async t => {
    const { advance, orders, served, change } = await setUp(t)
    let isStuck = true
    change((path, _body, pass) => (isStuck ? stuck(path, pass) : pass()))
    await advance(5 * hour)
    isStuck = false
    await advance(7 * hour)
    assert.deepEqual([orders.length, served.size], [1, 1])
  })

  it('cert-manager 3611, 3494: an order that the CA refuses to finalize for good is given up', async t => {
    const { advance, orders, served, change } = await setUp(t)
    let refused = 0
    change(async (path, _body, pass) =>
      path.startsWith('/finalize-order') && refused++ < 2
        ? problem(400, 'urn:keyon:params:acme:error:expired', 'Order expired')
        : pass(),
    )
    await advance(hour)
    assert.deepEqual([orders.length, served.has('a.test')], [2, true])
  })

  for (const what of ['key', 'name'] as const)
    it(`cert-manager 2539, automatoes 159: a certificate for another ${what} replaces nothing, and its order is given up`, async t => {
      const { advance, acme, faults, served, orders, store, lines } = await setUp(t)
      await advance(minute)
      const first = served.get('a.test')
      const forged: CaFault = { kind: 'forges', what }
      faults.set(
        'a.test',
        Array.from({ length: 60 }, () => forged),
      )
      for (let count = 0; count < 2; count++) {
        void acme().renew('a.test', 'forced')
        await advance(10 * minute)
        assert.equal(store.current('a.test')?.certificate.id, first)
      }
      assert.match(lines.join('\n'), /the old one stays in use.*the CA issued a certificate for/)
      faults.clear()
      void acme().renew('a.test', 'forced')
      await advance(10 * minute)
      assert.notEqual(served.get('a.test'), first)
      // a failed renewal is tried again by itself, and every second try needs another order
      assert.equal(orders.length, 4)
    })

  it('acme.sh 6221, 6576: Retry-After of a day while the CA validates delays nothing', async t => {
    const { advance, forever, served } = await setUp(t)
    forever.set('a.test', { kind: 'asks', retryAfter: '86400' })
    await advance(5 * minute)
    assert.ok(served.has('a.test'))
  })

  it('pki 5418, nginx-acme 47: nonces that are refused without a new one are not used again', async t => {
    const { advance, served, change } = await setUp(t)
    const bad = { status: 500, headers: {}, text: '<html><title>HTTP Status 500</title></html>' }
    let answered = 0
    // a responder that does not know the nonces of the other one, which gave all but the first
    const known = new Set<string>()
    change(async (path, body, pass) => {
      if (body !== '') {
        const { nonce } = JSON.parse(Buffer.from(JSON.parse(body).protected, 'base64url').toString())
        if (answered++ > 3 && answered < 12 && !known.has(nonce)) return bad
      }
      const reply = await pass()
      if (path === '/nonce-plz') known.add(String(reply.headers['replay-nonce']))
      return reply
    })
    await advance(hour)
    assert.ok(served.has('a.test'))
  })

  it('lego 2512: a newNonce that answers GET only', async t => {
    const { advance, served, authority } = await setUp(t)
    const inner = authority.behaviour.tamper
    let heads = 0
    authority.behaviour.tamper = async (path, body, pass) => {
      const reply = await inner?.(path, body, pass)
      // every first one is the HEAD
      if (path !== '/nonce-plz' || heads++ % 2 === 1) return reply
      return { status: 404, headers: {}, text: '' }
    }
    await advance(minute)
    assert.ok(served.has('a.test'))
  })

  it('cert-manager 2561: a registration without a Location leaves no account without a URL', async t => {
    const { advance, served, change } = await setUp(t)
    let count = 0
    change(async (path, _body, pass) => {
      const reply = await pass()
      if (path !== '/sign-me-up' || count++ > 0) return reply
      return { ...reply, headers: { ...reply.headers, location: undefined } }
    })
    await advance(5 * minute)
    assert.ok(served.has('a.test'))
  })

  it('lego 182: a page of a proxy is logged by its title', async t => {
    const { advance, faults, served, lines } = await setUp(t)
    faults.set('a.test', [{ kind: 'refuses', status: 503, type: undefined, retryAfter: undefined }])
    await advance(5 * minute)
    assert.match(lines.join('\n'), /the CA responded 503: Down"/)
    assert.ok(served.has('a.test'))
  })

  it('stonemax/acme2 13, getssl 626: a finalize whose response is lost finds the order valid, and its certificate is used', async t => {
    const { advance, served, orders, change } = await setUp(t)
    let count = 0
    change(async (path, _body, pass) => {
      const reply = await pass()
      return path.startsWith('/finalize-order') && count++ === 0 ? undefined : reply
    })
    await advance(5 * minute)
    assert.deepEqual([orders.length, served.has('a.test')], [1, true])
  })
})
