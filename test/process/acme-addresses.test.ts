// needs: pebble
// before a release: half a minute of a core for addresses in place of names
import assert from 'node:assert/strict'
import type { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { startAuthority } from './acme-authority.ts'
import { cert, startWithAcme } from './acme-monohull.ts'
import { temporaryFolder, until } from './monohull.ts'
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

  it('is what examples/ip-certificate has: a client that trusts the CA gets a response by address', async t => {
    const authority = await startAuthority(t)
    const example = join(import.meta.dirname, '../../examples/ip-certificate/server.js')
    const folder = temporaryFolder(t, { 'server.js': readFileSync(example, 'utf8') })
    const monohull = startWithAcme(t, authority, { domains: '127.0.0.1', folder, args: ['run', 'node', 'server.js'] })
    const port = (await monohull.serving()).httpsPort
    await until('the certificate for the address', async () => (await presented(port, '')).issuer.includes('Pebble'))
    const certificate = await presented(port, '')
    assert.equal(checkIdentity(certificate, '127.0.0.1'), undefined)
    const { body } = await monohull.request({ headers: { host: '127.0.0.1' } })
    assert.equal(body, 'served over https at 127.0.0.1\n')
  })
})

/** Why a client that connects by address rejects a certificate. */
function checkIdentity(certificate: X509Certificate, address: string): string | undefined {
  return certificate.checkIP(address) === undefined ? `not for ${address}` : undefined
}
