import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createSealing } from '../../../supervisor/shared-state/sealing.ts'
import { acceptedApps, refused, refusedOnce, yaml } from '../site/load-config.ts'

const [first, second] = ['a', 'b'].map(letter => letter.repeat(40)) as [string, string]
const url = 'url: redis://redis'

describe('shared-state/sealing', () => {
  it('opens what it sealed, under its name only', () => {
    const { seal, unseal } = createSealing(first)
    const sealed = seal('one', 'a text with ü')
    assert.equal(unseal('one', sealed), 'a text with ü')
    assert.doesNotMatch(Buffer.from(sealed.split('.')[2] ?? '', 'base64url').toString(), /text/)
    assert.notEqual(seal('one', 'a text with ü'), sealed)
    assert.throws(() => unseal('two', sealed), /damaged or was sealed for another name/)
    const bytes = Buffer.from(sealed.split('.')[2] ?? '', 'base64url')
    bytes.writeUInt8(bytes.readUInt8(20) ^ 1, 20)
    const forged = [...sealed.split('.').slice(0, 2), bytes.toString('base64url')].join('.')
    assert.throws(() => unseal('one', forged), /damaged/)
    for (const text of ['', 'a text', `2.${sealed.slice(2)}`, sealed.slice(0, 12)])
      assert.throws(() => unseal('one', text), /is not sealed|damaged|Invalid/)
  })

  it('opens with each secret and seals with the first, so that a secret can be replaced', () => {
    const old = createSealing(first).seal('one', 'text')
    const rotating = createSealing(`${second}\n${first}`)
    assert.equal(rotating.unseal('one', old), 'text')
    assert.equal(createSealing(second).unseal('one', rotating.seal('one', 'text')), 'text')
    assert.throws(() => createSealing(second).unseal('one', old), /sealed with a secret \([0-9a-f]{8}\)/)
    assert.throws(() => createSealing(undefined).seal('one', 'text'), /shared_state.secret is not set/)
  })
})

describe('shared-state/keys', () => {
  it('reads the secret from its file, with one secret per line', () => {
    const env = { MONOHULL_SHARED_STATE_SECRET_FILE: '/run/secrets/state' }
    const file = `shared_state: { ${url} }\ntls: { acme: { domains: [one.test] } }\n`
    const { shared_state: found } = acceptedApps({ ...yaml(file), env, readFile: () => `${second}\n${first}\n` })
    assert.deepEqual([found?.secret, found?.lease, found?.prefix], [`${second}\n${first}`, 15_000, 'monohull:'])
  })

  it('requires a secret for private keys, and none without them', () => {
    const { key, fix } = refusedOnce(yaml(`shared_state: { ${url} }\ntls: { acme: { domains: [one.test] } }\n`))
    assert.equal(key, 'shared_state.secret')
    assert.match(fix, /openssl rand -hex 32/)
    acceptedApps(yaml(`shared_state: { ${url} }\n`))
  })

  it('rejects a short secret, braces in the prefix and what the URL has already, without showing any of it', () => {
    const text = 'shared_state: { url: "redis://:hunter2@redis/1", password: hunter3, database: 2 }\n'
    const both = refused(yaml(text))
    assert.deepEqual(
      both.map(({ key }) => key),
      ['shared_state.database', 'shared_state.password'],
    )
    assert.doesNotMatch(JSON.stringify(both), /hunter/)
    assert.match(refusedOnce(yaml(`shared_state: { ${url}, secret: hunter2 }\n`)).problem, /at least 32 characters/)
    assert.equal(refusedOnce(yaml(`shared_state: { ${url}, prefix: "{a}" }\n`)).key, 'shared_state.prefix')
    assert.match(refusedOnce(yaml('shared_state: { url: file }\n')).problem, /is not a URL/)
  })
})
