import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { loadConfig, scalarKeys } from '../../../supervisor/site/config.ts'
import { accepting, expectSame } from './accepting-config.ts'
import { noSources } from './load-config.ts'

const words = ['', '0', '1', '80', '65536', '-1', '1.5', '1e3', 'auto', 'on', 'off', 'true', 'no', 'json', 'text', 'x']
const values = [
  ...['1s', '500ms', '0s', '512MB', '10m', '1,2', '*', '0 4 * * *', '31 2 * *', 'redirect', 'host', 'a b', 'é'],
  ...[
    '/run/x',
    '/a b',
    '/',
    'x/y',
    '127.0.0.1',
    '::1,127.0.0.1',
    '300.0.0.1',
    '::ffff:1.2.3.4',
    '10.0.0.0/8',
    'fe80::/10',
  ],
  ...['example.com', '*.example.com', 'a@example.com', 'a..b@example.com', 'https://example.com/dir', '404', 'minor'],
]
const variables = [...scalarKeys().map(({ variable }) => variable), 'WEB_CONCURRENCY', 'MONOHULL_OTHER']
const settings = fc.dictionary(fc.constantFrom(...variables), fc.constantFrom(...words, ...values), { maxKeys: 3 })
const commands = fc.array(fc.constantFrom('node', 'server.js', '', 'a b'), { maxLength: 3 })

// the other tests of the configuration compare the two as well: see load-config.ts
describe('config/accepting-zod', () => {
  it('accepts of any variables what the schema accepts, with the same result', () => {
    let accepted = 0
    fc.assert(
      fc.property(settings, commands, (env, command) => {
        const sources = { ...noSources, env, command }
        const expected = loadConfig(sources)
        if (expected.ok) accepted += 1
        const read = accepting.loadConfig(sources)
        // it may leave a value to the schema
        if (read.ok) expectSame(sources, undefined, expected)
      }),
      { numRuns: 3000 },
    )
    assert.ok(accepted > 300, `${accepted} accepted`)
  })

  it('has the keys of the schema, with their descriptions', () =>
    assert.deepEqual(accepting.scalarKeys(), scalarKeys()))

  it('leaves an address to the schema that it does not know for sure', () => {
    const sources = { ...noSources, env: { MONOHULL_BIND_ADDRESSES: '::ffff:1.2.3.4' } }
    assert.equal(accepting.loadConfig(sources).ok, false)
    assert.equal(loadConfig(sources).ok, true)
  })
})
