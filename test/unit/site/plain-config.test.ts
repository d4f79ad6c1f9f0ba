import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { ConfigSources } from '../../../supervisor/config/load.ts'
import { loadConfig } from '../../../supervisor/site/config.ts'
import { readPlainConfig } from '../../../supervisor/site/plain-config.ts'
import { plainSchema } from '../../../tools/plain-schema.ts'
import { noSources } from './load-config.ts'

const schema = plainSchema()
const read = (sources: Partial<ConfigSources>) => readPlainConfig(schema, { ...noSources, ...sources })

/** As it is after a way through JSON, which leaves out what is undefined. */
const plain = (value: unknown) => JSON.parse(JSON.stringify(value))

const texts = fc.oneof(
  fc.constantFrom(
    '',
    '0',
    '1',
    '80',
    '8080',
    '65536',
    '-1',
    '1.5',
    'auto',
    'on',
    'off',
    'true',
    'false',
    'json',
    'text',
  ),
  fc.constantFrom('/run/x', '/a b', 'x', '127.0.0.1', '::1,127.0.0.1', '300.0.0.1', ',', 'error', '1024', '1025', '/'),
)
const variables = [...Object.values(schema.keys).map(({ variable }) => variable), 'WEB_CONCURRENCY', 'MONOHULL_PORT']
const settings = fc.dictionary(fc.constantFrom(...variables), texts, { maxKeys: 3 })
const words = fc.array(fc.constantFrom('node', 'server.js', '', 'a b'), { maxLength: 3 })

describe('config/plain-config: readPlainConfig', () => {
  it('reads plain keys exactly as the schema does, and nothing that the schema rejects', () => {
    let accepted = 0
    fc.assert(
      fc.property(settings, words, fc.boolean(), (env, command, isHost) => {
        const defaults: Record<string, unknown> = isHost ? { http_port: 8080, https_port: 8443 } : {}
        const sources = { ...noSources, env, command, defaults }
        const expected = loadConfig(sources)
        const config = readPlainConfig(schema, sources)
        if (!config) return
        accepted++
        assert.deepEqual(plain(config), plain(expected.ok ? expected.config : expected))
      }),
      { numRuns: 2000 },
    )
    assert.ok(accepted > 100, `${accepted} accepted`)
  })

  const others: [string, Partial<ConfigSources>][] = [
    ['another key', { env: { MONOHULL_TIMEOUT: '3s' } }],
    ['a key read from a file', { env: { MONOHULL_WORKERS_FILE: '/x' } }],
    ['an unknown variable', { env: { MONOHULL_WORKER: '2' } }],
    ['a file', { file: { value: {}, problems: [], lineOf: () => undefined } }],
    ['a flag', { flags: { http_port: '80' } }],
    ['what a command wants otherwise', { overrides: { https: 'off' } }],
  ]
  for (const [what, sources] of others) it(`leaves ${what} to the schema`, () => assert.equal(read(sources), undefined))

  it('returns a new configuration on each call', () => {
    const one = read({ env: { MONOHULL_WORKERS: '3' } })
    assert.equal(one?.apps.app?.workers, 3)
    assert.equal(read({})?.apps.app?.workers, 'auto')
  })
})
