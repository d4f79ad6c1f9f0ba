// needs: pebble
// before a release: a minute and a half of a core for what a CA seldom does; test/process/acme.test.ts shows the rest
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { startAuthority } from './acme-authority.ts'
import { cert, issuerOf, serialOf, startWithAcme, windowOf } from './acme-monohull.ts'
import { defer, fixture, startMonohull, temporaryFolder, until } from './monohull.ts'

const places = 'state/acme/certificates/one.test'

describe('a certificate that the CA has revoked', { concurrency: 3 }, () => {
  it('is recognized by its renewal window, and replaced as soon as the CA allows it', async t => {
    const authority = await startAuthority(t)
    authority.behaviour.window = windowOf(20, 40)
    const monohull = startWithAcme(t, authority)
    await monohull.seen(/certificates changed/)
    const first = await serialOf(monohull)
    assert.match((await cert(t, monohull, 'renew', 'one.test')).output, /not due before/)

    const [id = ''] = readdirSync(join(monohull.folder, places)).filter(name => /^[0-9a-f]{16}$/.test(name))
    await authority.revoke(join(monohull.folder, places, id))
    authority.behaviour.limited = { orders: 1, seconds: 5 }
    const refused = await cert(t, monohull, 'renew', 'one.test')
    assert.deepEqual([refused.code, /429/.test(refused.output)], [1, true], refused.output)
    const [listed] = JSON.parse((await cert(t, monohull, 'list', '--json')).output).served
    assert.equal(listed.renewal.why, 'the CA asks to replace it at once')
    await until('the new certificate', async () => (await serialOf(monohull)) !== first, { deadlineMs: 60_000 })
    assert.match(authority.orders.at(-1)?.replaces ?? '', /^[\w-]{20,}\.[\w-]{8,}$/)
    assert.match((await cert(t, monohull, 'list')).output, /one\.test .*the CA suggests/)
  })
})

describe('external account binding', { concurrency: 3 }, () => {
  const accounts = { 'kid-1': 'zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W' }
  const eab = { MONOHULL_TLS_ACME_EAB_KEY_ID: 'kid-1' }

  it('succeeds with its key', async t => {
    const authority = await startAuthority(t, { accounts })
    const folder = temporaryFolder(t, { hmac: `${accounts['kid-1']}\n` })
    const env = { ...eab, MONOHULL_TLS_ACME_EAB_HMAC_KEY_FILE: join(folder, 'hmac') }
    const monohull = startWithAcme(t, authority, { folder, env })
    await monohull.seen(/certificates changed/)
    assert.match(await issuerOf(monohull), /Pebble/)
    assert.doesNotMatch(monohull.output(), new RegExp(accounts['kid-1']))
  })

  it('is missing: logged, with the key to set', async t => {
    const monohull = startWithAcme(t, await startAuthority(t, { accounts }))
    await monohull.seen(/not obtained .*the CA requires an external account: set tls\.acme\.eab/)
  })

  it('has another key: the error of the CA is logged', async t => {
    const env = { ...eab, MONOHULL_TLS_ACME_EAB_HMAC_KEY: accounts['kid-1'].toLowerCase() }
    const monohull = startWithAcme(t, await startAuthority(t, { accounts }), { env })
    await monohull.seen(/not obtained .*the CA responded 4\d\d/)
  })
})

describe('a fallback CA', () => {
  it('issues when the CA has failed three times, with an account of its own', async t => {
    const accounts = { 'kid-1': 'zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W' }
    const first = await startAuthority(t)
    const other = await startAuthority(t, { accounts, beside: first })
    first.behaviour.isDown = true
    const folder = temporaryFolder(t, { hmac: accounts['kid-1'] })
    const monohull = startWithAcme(t, first, {
      folder,
      env: {
        MONOHULL_TLS_ACME_FALLBACK_DIRECTORY: other.env.MONOHULL_TLS_ACME_DIRECTORY,
        MONOHULL_TLS_ACME_FALLBACK_CA_FILE: other.env.MONOHULL_TLS_ACME_CA_FILE,
        MONOHULL_TLS_ACME_FALLBACK_EAB_KEY_ID: 'kid-1',
        MONOHULL_TLS_ACME_FALLBACK_EAB_HMAC_KEY_FILE: join(folder, 'hmac'),
      },
    })
    await monohull.seen(/certificate not obtained .*cannot reach localhost/)
    for (let failures = 2; failures <= 3; failures++)
      assert.equal((await cert(t, monohull, 'renew', 'one.test')).code, 1)
    await monohull.seen(/the CA fails, the next attempt is at the fallback/)
    const { code, output } = await cert(t, monohull, 'renew', 'one.test')
    assert.equal(code, 0, output)
    assert.match(await issuerOf(monohull), /Pebble/)
    assert.deepEqual([first.orders.length, other.orders.length, other.registered()], [0, 1, 1])
    assert.doesNotMatch(monohull.output(), new RegExp(accounts['kid-1']))
  })
})

describe('an order that a kill interrupts', () => {
  it('is resumed at the next start: no other is placed', async t => {
    const authority = await startAuthority(t)
    const first = startMonohull(t, {
      args: ['run', 'node', fixture('hello.cjs')],
      env: { ...authority.env, MONOHULL_TLS_ACME_DOMAINS: 'one.test' },
    })
    const record = join(first.folder, places, 'record.json')
    await until('the order to be noted', () => existsSync(record) && /my-order/.test(readFileSync(record, 'utf8')))
    first.process.kill('SIGKILL')
    await first.exited
    const second = startWithAcme(t, authority, { folder: first.folder })
    await second.serving()
    await until('the certificate', async () => /Pebble/.test(await issuerOf(second)))
    assert.equal(authority.orders.length, 1)
  })
})

describe('an order that the CA breaks off', () => {
  for (const [at, what] of [
    ['/finalize-order/', 'when all is proved'],
    ['/certZ/', 'when the certificate is there'],
  ] as const) {
    it(`${what}: logged, and resumed by the next attempt, without another order`, async t => {
      const authority = await startAuthority(t)
      authority.behaviour.breaksAt = at
      const monohull = startWithAcme(t, authority)
      await monohull.seen(/certificate not obtained .*cannot reach localhost/)
      authority.behaviour.breaksAt = undefined
      assert.deepEqual(await cert(t, monohull, 'renew', 'one.test'), {
        code: 0,
        output: 'monohull: one.test renewed\n',
      })
      assert.match(await issuerOf(monohull), /Pebble/)
      assert.equal(authority.orders.length, 1)
    })
  }
})

describe('an order that fails', { concurrency: 3 }, () => {
  it('because the CA reaches another machine: logged with its reason; then succeeds', async t => {
    const authority = await startAuthority(t)
    const lead = (addresses: string[]) =>
      fetch(`${authority.dnsUrl}/add-a`, {
        method: 'POST',
        body: JSON.stringify({ host: 'one.test.', addresses }),
      })
    await lead(['127.0.0.2'])
    const monohull = startWithAcme(t, authority)
    await monohull.seen(/certificate not obtained .*the validation of one\.test is invalid: .*127\.0\.0\.2/)
    await fetch(`${authority.dnsUrl}/clear-a`, { method: 'POST', body: JSON.stringify({ host: 'one.test.' }) })
    assert.equal((await cert(t, monohull, 'renew', 'one.test')).code, 0)
    assert.match(await issuerOf(monohull), /Pebble/)
  })
})

describe('a full state directory', () => {
  it('at startup: logged, the local certificate is served, and one from the CA once there is space', async t => {
    const folder = temporaryFolder(t)
    const small = join(folder, 'small')
    mkdirSync(small)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', small])
    defer(t, () => execFileSync('umount', ['--lazy', small]))
    const filler = join(small, 'filler')
    assert.throws(() => writeFileSync(filler, Buffer.alloc(1 << 20)), /ENOSPC/)
    const monohull = startWithAcme(t, await startAuthority(t), {
      folder,
      env: { MONOHULL_STATE_DIR: join(small, 'state') },
    })
    await monohull.seen(/certificates from the CA will be lost with this container reason=.*state_dir \S+ is in memory/)
    await monohull.seen(/serving one from the local CA .*not in state_dir \S+: cannot write \S+\/local-ca\.key: ENOSPC/)
    await monohull.seen(/certificate not obtained .*cannot write \S+state\/\S+: ENOSPC/)
    assert.match(await issuerOf(monohull), /Monohull local CA/)
    rmSync(filler)
    assert.equal((await cert(t, monohull, 'renew', 'one.test')).code, 0)
    assert.match(await issuerOf(monohull), /Pebble/)
  })
})

describe('a state directory that is no longer writable', { concurrency: 3 }, () => {
  it('when a renewal is due: logged, and the old certificate stays in use, also after a reload', async t => {
    const monohull = startWithAcme(t, await startAuthority(t))
    await monohull.seen(/certificates changed/)
    const first = await serialOf(monohull)
    const kept = join(monohull.folder, 'state/acme/certificates')
    renameSync(kept, `${kept}.away`)
    writeFileSync(kept, '')
    assert.equal((await cert(t, monohull, 'renew', 'one.test', '--force')).code, 1)
    await monohull.seen(/certificate not renewed, the old one stays/)
    monohull.signal('SIGHUP')
    await monohull.seen(/reload finished/)
    assert.equal(await serialOf(monohull), first)
  })
})
