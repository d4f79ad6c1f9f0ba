// needs: pebble
// before a release: half a minute of a core for damaged accounts
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { changeAccount } from './acme-account-changes.ts'
import { type Authority, startAuthority } from './acme-authority.ts'
import { cert, serialOf, startWithAcme } from './acme-monohull.ts'
import { fixture, startMonohull, until } from './monohull.ts'

describe('the key of the CA account', { concurrency: 3 }, () => {
  /** Where the key stands, once there is an account, of a monohull that was stopped since. */
  async function keyOf(t: TestContext, authority: Authority): Promise<{ folder: string; key: string }> {
    const { folder, signal, exited, seen } = startMonohull(t, {
      args: ['run', 'node', fixture('hello.cjs')],
      env: { ...authority.env, MONOHULL_TLS_ACME_DOMAINS: 'one.test' },
    })
    await seen(/certificates changed/)
    signal('SIGTERM')
    await exited
    const accounts = join(folder, 'state/acme/accounts')
    return { folder, key: join(accounts, readdirSync(accounts)[0] ?? '', 'account.key') }
  }

  it('is damaged: renamed and logged, and a new account renews', async t => {
    const authority = await startAuthority(t)
    const { folder, key } = await keyOf(t, authority)
    const damaged = readFileSync(key, 'utf8').slice(0, 100)
    writeFileSync(key, damaged)
    const monohull = startWithAcme(t, authority, { folder })
    await monohull.serving()
    const before = await serialOf(monohull)
    assert.equal((await cert(t, monohull, 'renew', 'one.test', '--force')).code, 0, monohull.output())
    assert.match(monohull.output(), new RegExp(`warn the key of the CA account .*kept_aside=${key}\\.damaged .*fix=`))
    assert.equal(readFileSync(`${key}.damaged`, 'utf8'), damaged)
    await until('the new certificate', async () => (await serialOf(monohull)) !== before)
  })

  it('is gone: a new account renews', async t => {
    const authority = await startAuthority(t)
    const { folder, key } = await keyOf(t, authority)
    rmSync(key)
    const monohull = startWithAcme(t, authority, { folder })
    await monohull.serving()
    assert.equal((await cert(t, monohull, 'renew', 'one.test', '--force')).code, 0, monohull.output())
  })

  it('cannot be read: logged with its file, and not replaced', async t => {
    const authority = await startAuthority(t)
    const { folder, key } = await keyOf(t, authority)
    rmSync(key)
    mkdirSync(key)
    const monohull = startWithAcme(t, authority, { folder })
    await monohull.serving()
    const { code, output } = await cert(t, monohull, 'renew', 'one.test', '--force')
    assert.equal(code, 1)
    assert.match(output, new RegExp(`cannot read the account key: .*; let the user .* read ${key}`))
  })

  for (const [how, what] of [
    ['deactivate', 'belongs to an account that was deactivated: set aside and logged, and a new account renews'],
    ['rollover', 'was replaced by another program: an account of its own renews'],
  ] as const)
    it(what, async t => {
      const authority = await startAuthority(t)
      const monohull = startWithAcme(t, authority)
      await monohull.seen(/certificates changed/)
      const accounts = join(monohull.folder, 'state/acme/accounts')
      const key = join(accounts, readdirSync(accounts)[0] ?? '', 'account.key')
      await changeAccount(authority, key, how)
      const renewed = await cert(t, monohull, 'renew', 'one.test', '--force')
      assert.equal(renewed.code, 0, renewed.output + monohull.output())
      if (how === 'deactivate') {
        assert.match(monohull.output(), /the CA no longer accepts the account, creating a new one .*deactivated/)
        assert.ok(existsSync(`${key}.refused`))
      }
      assert.equal((await cert(t, monohull, 'renew', 'one.test', '--force')).code, 0)
    })
})
