import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { OperatorError } from '../../../supervisor/base/errors.ts'
import type { UsableCertificate } from '../../../supervisor/certificates/certificate.ts'
import { registeredDomain } from '../../../supervisor/certificates/on-demand/adapters/registered-domain.ts'
import { createOnDemand } from '../../../supervisor/certificates/on-demand/admission.ts'
import { readHostName } from '../../../supervisor/certificates/on-demand/name.ts'
import { onDemandOf } from '../../../supervisor/certificates/on-demand/paths.ts'
import { checkQuota, type PlacedOrder } from '../../../supervisor/certificates/on-demand/quota.ts'
import { accepted, refusedOnce, yaml } from '../site/load-config.ts'

const hourMs = 3_600_000

describe('certificates/on-demand: names', () => {
  it('accepts host names that a public CA would issue for, in lower case', () => {
    assert.equal(readHostName('WWW.Example.COM'), 'www.example.com')
    assert.equal(readHostName('xn--bcher-kva.example'), 'xn--bcher-kva.example')
  })

  for (const name of [
    ...[
      '',
      'localhost',
      'a..b',
      '.a.test',
      'a.test.',
      '-a.test',
      'a-.test',
      'a_b.test',
      '*.a.test',
      '127.0.0.1',
      '::1',
    ],
    ...[
      'a/../b.test',
      'a.test/',
      'a%2e.test',
      'a\0.test',
      'ä.test',
      `${'a'.repeat(64)}.test`,
      `${'a.'.repeat(127)}test`,
    ],
  ])
    it(`refuses ${JSON.stringify(name.slice(0, 30))}`, () => assert.equal(readHostName(name), undefined))

  it('only returns names that are a single file name', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), text => {
        const name = readHostName(text)
        assert.ok(name === undefined || /^[a-z0-9][a-z0-9.-]+$/.test(name))
      }),
    )
  })
})

describe('certificates/on-demand: registered domain', () => {
  for (const [name, domain] of [
    ['a.b.shop.example', 'shop.example'],
    ['shop.example', 'shop.example'],
    ['www.shop.co.uk', 'shop.co.uk'],
    ['shop.com.au', 'shop.com.au'],
    ['a.db.de', 'db.de'],
    ['www.me.github.io', 'me.github.io'],
    ['co.uk', 'co.uk'],
    ['a.shop.test', 'shop.test'],
  ] as const)
    it(`counts ${name} under ${domain}`, () => assert.equal(registeredDomain(name), domain))
})

describe('certificates/on-demand: quota', () => {
  const limits = { all: 3, perDomain: 2 }
  const look = (placed: PlacedOrder[], domain: string, now = hourMs) => checkQuota(placed, { domain, now, limits })

  it('allows orders up to the limits, in total and for one domain', () => {
    const placed = [
      { domain: 'shop.test', at: 1 },
      { domain: 'shop.test', at: 2 },
    ]
    assert.equal(look(placed, 'shop.test').reached, 'orders_per_domain')
    assert.equal(look(placed, 'other.test').reached, undefined)
    assert.equal(look([...placed, { domain: 'x.test', at: 3 }], 'other.test').reached, 'orders_per_hour')
  })

  it('ignores orders older than an hour', () => {
    const placed = [
      { domain: 'shop.test', at: 0 },
      { domain: 'shop.test', at: 1 },
    ]
    assert.deepEqual(look(placed, 'shop.test'), { recent: placed.slice(1), reached: undefined })
  })
})

describe('certificates/on-demand: admission', () => {
  const silent = { debug() {}, info() {}, warn() {}, error() {} }

  function setUp({ allowed = true as boolean | Error, ok = true, refusedMs = 60_000 } = {}) {
    const facts = { now: 0, asked: 0, ordered: 0, allowed, ok, notAfter: 100 * hourMs }
    const kept = new Set<string>()
    const admit = createOnDemand({
      clock: { now: () => facts.now, monotonic: () => facts.now, after: () => () => {} },
      log: silent as never,
      random: () => 0,
      gatekeeper: {
        async isAllowed() {
          facts.asked++
          if (facts.allowed instanceof Error) throw facts.allowed
          return facts.allowed
        },
      },
      acme: {
        async obtain({ name }) {
          facts.ordered++
          if (facts.ok) kept.add(name)
          return facts.ok ? { ok: true, message: '' } : { ok: false, message: '', reason: '' }
        },
        certificate: name =>
          kept.has(name) ? ({ certificate: { notAfter: facts.notAfter } } as UsableCertificate) : undefined,
      },
      takeOrder: () => true,
      domainOf: name => name,
      refusedMs,
    })
    return { facts, admit: (name = 'a.test') => admit(name, '0a000001') }
  }

  it('orders once for concurrent handshakes, and never for an existing certificate', async () => {
    const { facts, admit } = setUp()
    assert.deepEqual(await Promise.all([admit(), admit(), admit()]), [true, true, true])
    assert.equal(await admit(), true)
    assert.deepEqual([facts.asked, facts.ordered], [1, 1])
  })

  it('orders again if a certificate has expired', async () => {
    const { facts, admit } = setUp()
    await admit()
    facts.now = facts.notAfter
    await admit()
    assert.equal(facts.ordered, 2)
  })

  it('remembers a refusal for a minute, and a missing decision for five seconds', async () => {
    const { facts, admit } = setUp({ allowed: false })
    for (const [now, asked] of [
      [0, 1],
      [59_999, 1],
      [60_000, 2],
    ] as const) {
      facts.now = now
      assert.equal(await admit(), false)
      assert.equal(facts.asked, asked)
    }
    facts.allowed = new Error('down')
    facts.now = 120_000
    assert.equal(await admit(), false)
    facts.now = 124_999
    assert.equal(await admit(), false)
    assert.equal(facts.asked, 3)
    facts.allowed = true
    facts.now = 125_000
    assert.equal(await admit(), true)
  })

  it('does not remember a refusal that was cheap to get', async () => {
    const { facts, admit } = setUp({ allowed: false, refusedMs: 0 })
    assert.equal(await admit(), false)
    facts.allowed = true
    assert.equal(await admit(), true)
  })

  it('waits longer after each order that fails', async () => {
    const { facts, admit } = setUp({ ok: false })
    for (const now of [0, 59_999, 60_000, 179_999, 180_000]) {
      facts.now = now
      assert.equal(await admit(), false)
    }
    assert.equal(facts.ordered, 3)
  })
})

describe('tls.on_demand', () => {
  const ask = 'on_demand: {ask: "http://127.0.0.1:9000/allowed"}'

  it('needs no domains', () => {
    const config = accepted(yaml(`tls: {acme: {email: me@a.test}, ${ask}}\n`))
    assert.deepEqual(config.tls.on_demand, {
      ask: 'http://127.0.0.1:9000/allowed',
      orders_per_hour: 60,
      orders_per_domain: 10,
    })
  })

  it('needs dynamic_routes for `routes`', () => {
    const text = 'tls: {acme: {email: me@a.test}, on_demand: {ask: routes}}\n'
    assert.equal(accepted(yaml(`${text}dynamic_routes: {store: file}\n`)).tls.on_demand?.ask, 'routes')
    const problem = refusedOnce(yaml(text))
    assert.equal(problem.key, 'tls.on_demand.ask')
    assert.match(problem.fix, /add dynamic_routes: \{store: file\}/)
  })

  const wrong: [string, string, RegExp][] = [
    [ask, 'tls.on_demand', /tls\.acme as well/],
    ['acme: {domains: [a.test]}, on_demand: {}', 'tls.on_demand.ask', /expected a URL/],
    ['acme: {domains: [a.test]}, on_demand: {ask: /allowed}', 'tls.on_demand.ask', /expected a URL/],
    [
      `acme: {domains: [a.test], challenge: dns-01, dns_hook: x}, ${ask}`,
      'tls.acme.challenge',
      /expected http-01 with tls\.on_demand/,
    ],
    [
      'acme: {domains: [a.test]}, on_demand: {ask: "http://a", orders_per_hour: 0}',
      'tls.on_demand.orders_per_hour',
      /whole number from 1/,
    ],
  ]
  for (const [text, key, says] of wrong) {
    it(`refuses ${text}`, () => {
      const problem = refusedOnce(yaml(`tls: {${text}}\n`))
      assert.equal(problem.key, key)
      assert.match(problem.problem, says)
    })
  }

  it('is refused if nginx has no Lua, with a fix', () => {
    const config = accepted(yaml(`tls: {acme: {email: me@a.test}, ${ask}}\n`))
    assert.throws(
      () => onDemandOf(config, { luaModules: undefined }),
      (error: unknown) => error instanceof OperatorError && /libnginx-mod-http-lua/.test(error.fix),
    )
    assert.equal(onDemandOf(config, { luaModules: [] })?.directory, '/run/monohull/on-demand')
  })
})
