import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isLocalHost, isLoopback } from '../../../supervisor/base/loopback.ts'
import { isSameOrigin } from '../../../supervisor/dashboard/same-origin.ts'

describe('dashboard/same-origin', () => {
  const host = 'localhost:9114'
  for (const [headers, expected] of [
    [{ host }, true],
    [{ host, 'sec-fetch-site': 'same-origin', origin: 'http://localhost:9114' }, true],
    [{ host, 'sec-fetch-site': 'none' }, true],
    [{ host, 'sec-fetch-site': 'cross-site' }, false],
    [{ host, 'sec-fetch-site': 'same-site', origin: 'http://localhost:3000' }, false],
    [{ host, origin: 'http://localhost:3000' }, false],
    [{ host, origin: 'null' }, false],
    [{ host, origin: '' }, false],
    [{ host: 'LOCALHOST:9114', origin: 'http://localhost:9114' }, true],
    [{ host: 'status.example.com', origin: 'https://status.example.com' }, true],
    [{ host: 'status.example.com', origin: 'https://status.example.com.evil.test' }, false],
  ] as const)
    it(`${expected ? 'accepts' : 'rejects'} ${JSON.stringify(headers)}`, () => {
      assert.equal(isSameOrigin(headers), expected)
    })
})

describe('dashboard/loopback', () => {
  it('knows the addresses that only this machine reaches', () => {
    assert.deepEqual(['127.0.0.1', '127.3.2.1', '::1', '0:0:0:0:0:0:0:1'].map(isLoopback), [true, true, true, true])
    assert.deepEqual(
      ['0.0.0.0', '::', '10.0.0.1', '128.0.0.1', '::ffff:10.0.0.1'].map(isLoopback),
      Array(5).fill(false),
    )
  })

  it('tells names that a hostile page may have from those of this machine', () => {
    const local = ['localhost', 'LOCALHOST:80', 'app.localhost:9114', '127.0.0.1:9114', '[::1]:9114', '172.17.0.2:9114']
    assert.deepEqual(
      local.map(isLocalHost),
      local.map(() => true),
    )
    const others = [undefined, '', 'evil.test', 'localhost.evil.test', '127.0.0.1.evil.test:9114', 'evillocalhost']
    assert.deepEqual(
      others.map(isLocalHost),
      others.map(() => false),
    )
  })
})
