import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { encodeRoute } from '../../../supervisor/dynamic-routes/encoding.ts'
import { formatRoute, readRoute, routeValue } from '../../../supervisor/dynamic-routes/route.ts'
import { context, routeOf, targetOf } from './route-context.ts'

const alice = 'alice:$apr1$salt$GuAg0AphaWDqGw5NMoEjE/'
const full = {
  targets: ['10.0.0.2:80 weight=2', '10.0.0.3:80'],
  sticky: true,
  max_body_size: '20m',
  read_timeout: '5m',
  basic_auth: [alice],
}

describe('dynamic-routes/route', () => {
  it('reads one target, several with weights, and an object in JSON or parsed', () => {
    const targets = [
      { target: targetOf('10.0.0.2:80'), weight: 2 },
      { target: targetOf('10.0.0.3:80'), weight: 1 },
    ]
    const plain = { targets, isSticky: false, maxBodyBytes: undefined, readTimeoutMs: undefined, users: [] }
    for (const value of [
      '10.0.0.2:80 weight=2 10.0.0.3:80',
      '  10.0.0.2:80\tweight=2\n10.0.0.3:80 weight=1 ',
      '{"targets": "10.0.0.2:80 weight=2 10.0.0.3:80"}',
      { targets: ['10.0.0.2:80 weight=2', '10.0.0.3:80'], sticky: false },
    ])
      assert.deepEqual(routeOf(value), plain)
    const settings = { isSticky: true, maxBodyBytes: 20 * 2 ** 20, readTimeoutMs: 300_000, users: [alice] }
    assert.deepEqual(routeOf(JSON.stringify(full)), { targets, ...settings })
    assert.equal(routeOf({ targets: ['web'], max_body_size: 'off' }).maxBodyBytes, 0)
  })

  it('is written as it is read, and listed without passwords', () => {
    assert.deepEqual(routeValue(routeOf(full)), full)
    assert.equal(routeValue(routeOf('web')), 'web')
    assert.equal(
      formatRoute(routeOf(full)),
      '10.0.0.2:80 weight=2 10.0.0.3:80, sticky, max_body_size 20m, read_timeout 5m, 1 user',
    )
  })

  const wrong: [unknown, RegExp][] = [
    ['', /^is not a valid target/],
    ['weight=2 web', /weight/],
    ['web weight=2 weight=3', /weight/],
    ['web weight=0', /weight/],
    ['web weight=1000', /weight/],
    ['web web', /names web twice/],
    ['[2001:db8::1]:80 [2001:DB8:0::1]:80', /twice/],
    ['web a.test:80', /the target a\.test:80, which is a name that needs DNS/],
    ['10.0.0.2:80 169.254.169.254:80', /which is not allowed/],
    [Array.from({ length: 33 }, (_, index) => `10.0.0.${index}:80`).join(' '), /more than 32/],
    [1, /^is not a valid target/],
    [null, /^is not a valid target/],
    [['web'], /^is not a valid target/],
    ['{', /not valid JSON/],
    ['{}', /targets that are not texts/],
    [{ targets: [1] }, /targets that are not texts/],
    [{ targets: 'web', __proto__x: 1 }, /unknown key __proto__x/],
    [JSON.parse('{"targets": "web", "__proto__": 1}'), /unknown key __proto__/],
    [{ targets: 'web', sticky: 'yes' }, /sticky/],
    [{ targets: 'web', max_body_size: 5 }, /max_body_size/],
    [{ targets: 'web', max_body_size: '0m' }, /max_body_size/],
    [{ targets: 'web', read_timeout: '0s' }, /read_timeout/],
    [{ targets: 'web', read_timeout: '25h' }, /read_timeout/],
    [{ targets: 'web', basic_auth: [] }, /basic_auth/],
    [{ targets: 'web', basic_auth: alice }, /basic_auth/],
    [{ targets: 'web', basic_auth: ['bob:plain'] }, /securely hashed/],
    [{ targets: 'web', basic_auth: [`${alice}\nbob:{PLAIN}x`] }, /NAME:HASH in entry 1/],
    [{ targets: 'web', basic_auth: [`#${alice}`] }, /NAME:HASH in entry 1/],
    [{ targets: 'web', basic_auth: [alice, alice] }, /repeats the name/],
  ]
  for (const [value, why] of wrong) {
    it(`is not ${JSON.stringify(value).slice(0, 60)}`, () => {
      const reading = readRoute(value)
      assert.ok(!reading.ok && why.test(reading.problem) && reading.fix !== '', JSON.stringify(reading))
      assert.doesNotMatch(reading.problem, /apr1|plain/)
    })
  }
})

describe('dynamic-routes/encoding', () => {
  it('is one word: targets, then settings', () => {
    const users = Buffer.from(alice).toString('base64')
    assert.equal(
      encodeRoute(routeOf(full), context),
      `address:10.0.0.2:80*2,address:10.0.0.3:80;sticky;body=20971520;read=300000;users=${users}`,
    )
    assert.equal(encodeRoute(routeOf('web weight=9 legacy'), context), 'app:web*9,upstream:legacy')
  })

  it('leaves out targets that cannot work', () => {
    assert.equal(encodeRoute(routeOf('web gone 127.0.0.1:80'), context), 'app:web')
    assert.equal(encodeRoute(routeOf({ targets: 'gone', sticky: true }), context), 'none')
  })

  it('is written and read again as the same route, and is one word for nginx, whatever the value', () => {
    const word = fc.constantFrom('web', 'legacy', 'gone', '10.0.0.2:80', '[2001:db8::2]:443', 'weight=3', 'a;b', ' ')
    const targets = fc.array(word, { maxLength: 6 }).map(words => words.join(' '))
    const value = fc.record(
      {
        targets: fc.oneof(targets, fc.array(targets)),
        sticky: fc.oneof(fc.boolean(), fc.string()),
        max_body_size: fc.oneof(fc.constantFrom('off', '1m', '1.5k', '0.123k', '7g'), fc.string()),
        read_timeout: fc.oneof(fc.constantFrom('1ms', '1234ms', '90s', '1h30m'), fc.string()),
        basic_auth: fc.array(
          fc.oneof(
            fc.constant(alice),
            fc.string({ unit: 'binary' }).map(text => `b${text}:$1$${text}`),
          ),
        ),
      },
      { requiredKeys: ['targets'] },
    )
    let accepted = 0
    fc.assert(
      fc.property(fc.oneof(value, targets, fc.anything(), fc.json()), found => {
        const reading = readRoute(found)
        if (!reading.ok) return
        accepted++
        assert.deepEqual(readRoute(routeValue(reading.value)), reading)
        assert.deepEqual(readRoute(JSON.parse(JSON.stringify(routeValue(reading.value)))), reading)
        const target = '(app:web|upstream:legacy|address:[\\d.]+:\\d+|address:\\[[\\da-f:]+\\]:\\d+)(\\*\\d{1,3})?'
        const settings = '(;sticky)?(;body=\\d+)?(;read=\\d+)?(;users=[A-Za-z0-9+/=]+)?'
        assert.match(encodeRoute(reading.value, context), new RegExp(`^(none|${target}(,${target})*${settings})$`))
      }),
      { numRuns: 3000 },
    )
    assert.ok(accepted > 100, `${accepted} values accepted`)
  })
})
