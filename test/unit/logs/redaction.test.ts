import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { networkOf, redactMessage } from '../../../supervisor/logs/redaction.ts'

const message = (request: string, referrer = 'http://a/b?c') =>
  `failed (111: refused), client: 203.0.113.7, server: , request: "${request}", upstream: "http://unix:/run/a.sock:/x?y=1", host: "a", referrer: "${referrer}"`

describe('logs/redaction', () => {
  it('removes queries wherever nginx quotes a URL, whatever they contain', () => {
    const rest = ', upstream: "http://unix:/run/a.sock:/x?[redacted]", host: "a", referrer: "http://a/b?[redacted]"'
    assert.equal(
      redactMessage('a, client: b, request: "GET /p?cut', ['query']),
      'a, client: b, request: "GET /p?[redacted]',
    )
    for (const query of ['token=s', 'a="b", host: x', 'a?b?c', '', 'a HTTP/1.0"'])
      assert.equal(
        redactMessage(message(`GET /p?${query} HTTP/1.1`), ['query']),
        `failed (111: refused), client: 203.0.113.7, server: , request: "GET /p?[redacted] HTTP/1.1"${rest}`,
      )
  })

  it('removes the values of parameters, also of repeated and escaped ones', () => {
    const cases: [string, string][] = [
      ['token=s', 'token=[redacted]'],
      ['a=1&token=s&b=2', 'a=1&token=[redacted]&b=2'],
      ['TOKEN=s&token=t', 'TOKEN=[redacted]&token=[redacted]'],
      ['%74oke%6E=s', '%74oke%6E=[redacted]'],
      ['token[]=s&token%5B1%5d=t', 'token[]=[redacted]&token%5B1%5d=[redacted]'],
      ['token="s" x', 'token=[redacted]'],
      ['api.key=s&apixkey=t', 'api.key=[redacted]&apixkey=t'],
      ['mytoken=s&tokens=t', 'mytoken=s&tokens=t'],
      ['a+b*c=s&a%2bb%2Ac=t&aabc=u', 'a+b*c=[redacted]&a%2bb%2Ac=[redacted]&aabc=u'],
      // as PHP reads them
      ['+token=s&%20+token=t', '+token=[redacted]&%20+token=[redacted]'],
      [
        'user_key=s&user.key=t&user+key=u&user%20key=v&userxkey=w',
        'user_key=[redacted]&user.key=[redacted]&user+key=[redacted]&user%20key=[redacted]&userxkey=w',
      ],
    ]
    for (const [query, shown] of cases) {
      const found = redactMessage(message(`GET /p?${query} HTTP/1.1`, `http://a/?${query}`), [
        'query.token',
        'query.api.key',
        'query.a+b*c',
        'query.user_key',
      ])
      assert.ok(found.includes(`request: "GET /p?${shown} HTTP/1.1"`), found)
      assert.ok(found.endsWith(`referrer: "http://a/?${shown}"`), found)
    }
  })

  it('keeps messages without a query or client, and everything without rules', () => {
    const plain = 'failed, client: ::1, server: _, request: "GET /p HTTP/1.1", upstream: "http://a/", host: "a"'
    assert.equal(redactMessage(plain, ['query']), plain)
    assert.equal(redactMessage('open() "/a?b" failed', ['query', 'remote_addr']), 'open() "/a?b" failed')
    assert.equal(redactMessage(message('GET /?a HTTP/1.1'), []), message('GET /?a HTTP/1.1'))
  })

  it('keeps the network of an address', () => {
    const cases: [string, string][] = [
      ['203.0.113.7', '203.0.113.0'],
      ['2001:db8:1:2::7', '2001:db8:1::'],
      ['2001:db8::7', '2001:db8::'],
      ['::1', '::'],
      ['2001:db8:1:2:3:4:5:6', '2001:db8:1::'],
      ['unix:', '-'],
    ]
    for (const [address, network] of cases) assert.equal(networkOf(address), network)
    assert.match(redactMessage(message('GET / HTTP/1.1'), ['remote_addr']), /client: 203\.0\.113\.0, server/)
  })
})
