// needs: pebble
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { startAuthority } from './acme-authority.ts'
import { cert, startWithAcme } from './acme-monohull.ts'
import { until } from './monohull.ts'
import { presented } from './presented.ts'

describe('a certificate for an IP address', () => {
  it('is obtained, and served to clients that connect by address, beside one for a name', async t => {
    const authority = await startAuthority(t)
    const monohull = startWithAcme(t, authority, { domains: 'one.test,127.0.0.1' })
    const shown = async (name: string) => (await presented(monohull.instance().httpsPort, name)).subjectAltName
    await monohull.seen(/certificate issued names=127\.0\.0\.1/)
    await monohull.seen(/certificate issued names=one\.test/)
    await until('the certificate for the address', async () => (await shown('')) === 'IP Address:127.0.0.1')
    await until('the certificate for the name', async () => (await shown('one.test')) === 'DNS:one.test')
    const listed = await cert(t, monohull, 'list')
    assert.match(listed.output, /^127\.0\.0\.1 +acme .*two thirds/m)
    assert.match((await cert(t, monohull, 'check', '127.0.0.1')).output, /^127\.0\.0\.1: IP Address:127\.0\.0\.1/)
  })
})
