// needs: pebble
// before a release: half a minute of a core
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { startAuthority } from './acme-authority.ts'
import { serialOf, startWithAcme } from './acme-monohull.ts'
import { fixture, startMonohull, temporaryFolder, until } from './monohull.ts'
import { presented } from './presented.ts'

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

  it('start for the first time at once: one account, one order for each name, the same certificates', async t => {
    const authority = await startAuthority(t)
    const state = { MONOHULL_STATE_DIR: join(temporaryFolder(t), 'state') }
    // the CA reaches only one of them
    const all = ['', '0', '0'].map(port =>
      startWithAcme(t, authority, {
        domains: 'one.test,two.test',
        env: { ...state, MONOHULL_WORKERS: '1', ...(port ? { MONOHULL_HTTP_PORT: port } : {}) },
      }),
    )
    await Promise.all(all.map(each => each.serving()))
    for (const name of ['one.test', 'two.test'])
      await until(
        `the same certificate of the CA for ${name} from all`,
        async () => {
          const shown = await Promise.all(all.map(each => presented(each.instance().httpsPort, name)))
          const isSame = shown.every(({ serialNumber }) => serialNumber === shown[0]?.serialNumber)
          return isSame && shown.every(({ issuer }) => issuer.includes('Pebble'))
        },
        { deadlineMs: 60_000, details: () => all.map(each => each.output()).join('\n') },
      )
    assert.equal(authority.registered(), 1)
    assert.deepEqual(authority.orders.map(({ identifiers }) => identifiers[0]?.value).sort(), ['one.test', 'two.test'])
  })

  it('start for the first time at once without a CA: clients that trust its local CA accept each of them', async t => {
    const state = join(temporaryFolder(t), 'state')
    const all = [1, 2, 3].map(() =>
      startMonohull(t, {
        args: ['run', 'node', fixture('hello.cjs')],
        env: { MONOHULL_STATE_DIR: state, MONOHULL_WORKERS: '1' },
      }),
    )
    await Promise.all(all.map(each => each.serving()))
    const ca = new X509Certificate(readFileSync(join(state, 'local-ca.crt')))
    for (const each of all) {
      const shown = await presented(each.instance().httpsPort)
      assert.ok(shown.verify(ca.publicKey), each.output())
    }
    assert.equal(all.filter(each => each.output().includes('local CA created')).length, 1)
  })
})
