import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { makeCertificate } from '../make-certificate.ts'
import { cert } from './acme-monohull.ts'
import { fixture, startMonohull, temporaryFolder } from './monohull.ts'

const pair = { chain: 'tls.crt', key: 'tls.key' }

describe('a new certificate with the PROXY protocol', () => {
  it('is confirmed by a handshake that begins with its header', async t => {
    const folder = temporaryFolder(t)
    makeCertificate(join(folder, 'certs'), 'one.test', pair)
    const monohull = startMonohull(t, {
      folder,
      args: ['run', 'node', fixture('hello.cjs')],
      env: { MONOHULL_PROXY_PROTOCOL: 'true', MONOHULL_TRUSTED_PROXIES: '127.0.0.1' },
    })
    await monohull.serving()
    makeCertificate(join(folder, 'certs'), 'two.test', pair)
    const [line] = await monohull.seen(/.*(certificates changed|a handshake for).*/)
    assert.match(line, /info certificates changed: two\.test until/)
    assert.match((await cert(t, monohull, 'check', 'two.test')).output, /two\.test: DNS:two\.test, TLSv1\.3/)
  })
})
