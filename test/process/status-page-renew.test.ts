// needs: chromium pebble
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, it } from 'node:test'
import { startAuthority } from './acme-authority.ts'
import { serialOf, startWithAcme, windowOf } from './acme-monohull.ts'
import { freePorts } from './free-ports.ts'
import { until } from './monohull.ts'
import { openPage } from './visitor.ts'

const isMissing = spawnSync('chromium', ['--version']).error !== undefined
const skip = isMissing && !process.env.CI && 'chromium is not installed'
const token = 'a-token-for-the-status-page'

describe('the button Renew of the status page', { skip }, () => {
  it('renews a certificate that is due, after a question, and says when another one is', {
    timeout: 60_000,
  }, async t => {
    const authority = await startAuthority(t)
    authority.behaviour.window = windowOf(20, 40)
    const [port = 0] = await freePorts(1)
    const env = { MONOHULL_ADMIN_PORT: `${port}`, MONOHULL_ADMIN_TOKEN: token, MONOHULL_ADMIN_ACTIONS: 'true' }
    const first = startWithAcme(t, authority, { env })
    await first.seen(/certificate issued names=one\.test/)
    await first.seen(/certificates changed/)
    const { folder } = first
    first.signal('SIGTERM')
    await first.exited

    const monohull = startWithAcme(t, authority, { folder, env })
    await monohull.serving()
    const before = await serialOf(monohull)
    const { visitor } = await openPage(t, port)
    await visitor.shows(/Token/)
    await visitor.fill('input[type=password]', token)
    await visitor.click('Open')
    await visitor.shows(/one\.test/)
    const press = async () => {
      await visitor.click('Renew one.test')
      await visitor.shows(/Renew the certificate for one\.test\?/)
      await visitor.evaluate(`document.querySelector('dialog button.primary').click()`)
    }
    await press()
    await visitor.shows(/one\.test is not due before/)
    assert.equal(await serialOf(monohull), before)
    authority.behaviour.window = windowOf(-2, -1)
    await press()
    await visitor.shows(/one\.test renewed/)
    await until('the new certificate', async () => (await serialOf(monohull)) !== before)
  })
})
