// needs: pebble
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { startAuthority } from './acme-authority.ts'
import { serialOf, startWithAcme } from './acme-monohull.ts'
import { temporaryFolder, until } from './monohull.ts'

describe('two instances with one state directory', () => {
  it('order each certificate once, and the one that the CA reaches serves the challenges of the other', async t => {
    const authority = await startAuthority(t)
    const state = { MONOHULL_STATE_DIR: join(temporaryFolder(t), 'state') }
    const one = startWithAcme(t, authority, { env: state })
    await one.serving()
    // the CA reaches only the first
    const env = { ...state, MONOHULL_HTTP_PORT: '0' }
    const other = startWithAcme(t, authority, { domains: 'one.test,two.test', env })
    await other.seen(/another monohull uses this state_dir/)
    await other.seen(/certificate issued names=two\.test/)
    await until('the same certificate from both', async () => (await serialOf(one)) === (await serialOf(other)))
    const ordered = authority.orders.map(({ identifiers }) => identifiers[0]?.value)
    assert.deepEqual(ordered.sort(), ['one.test', 'two.test'])
  })
})
