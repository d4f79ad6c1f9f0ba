// needs: pebble
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import tls from 'node:tls'
import { startAuthority } from './acme-authority.ts'
import { cert, serialOf, startWithAcme } from './acme-monohull.ts'
import { until } from './monohull.ts'
import { presented } from './presented.ts'

/** Protocol that a handshake agrees on, or the code of its error. */
function handshake(port: number, ALPNProtocols: string[]): Promise<string> {
  return new Promise(resolve => {
    const socket = tls.connect({ port, servername: 'one.test', ALPNProtocols, rejectUnauthorized: false }, () => {
      resolve(String(socket.alpnProtocol))
      socket.destroy()
    })
    socket.on('error', error => resolve((error as NodeJS.ErrnoException).code ?? error.message))
  })
}

describe('tls.acme with tls-alpn-01', { timeout: 120_000 }, () => {
  it('obtains certificates on port 443 alone, at first and between reloads, beside visitors', async t => {
    const authority = await startAuthority(t)
    const env = {
      MONOHULL_HTTP_PORT: '0', // not the one that the CA would ask
      MONOHULL_HTTPS_PORT: `${authority.tlsPort}`,
      MONOHULL_TLS_ACME_CHALLENGE: 'tls-alpn-01',
      MONOHULL_ACCESS_LOG: 'false',
    }
    const monohull = startWithAcme(t, authority, { domains: 'one.test,two.test', env })
    for (const name of ['one.test', 'two.test']) {
      await monohull.seen(new RegExp(`certificate issued names=${name}`))
      await until(`the certificate of ${name}`, async () =>
        (await presented(authority.tlsPort, name)).issuer.includes('Pebble'),
      )
    }
    // a renewal would join a first order that is not over
    await until('both orders to be over', () => (monohull.output().match(/certificates changed/g)?.length ?? 0) >= 2)
    assert.match(await handshake(authority.tlsPort, ['acme-tls/1']), /ALERT|ECONNRESET/)
    assert.equal(await handshake(authority.tlsPort, ['h2', 'acme-tls/1']), 'h2')
    for (let round = 0; round < 3; round++) {
      const before = await serialOf(monohull)
      monohull.signal('SIGHUP')
      const { code, output } = await cert(t, monohull, 'renew', 'one.test', '--force')
      assert.equal(code, 0, `${output}\n${monohull.output().slice(-2000)}`)
      await until('the next certificate', async () => (await serialOf(monohull)) !== before)
    }
    assert.deepEqual(readdirSync(join(monohull.folder, 'run/acme-alpn')), [])
    assert.doesNotMatch(monohull.output(), /\[(alert|crit|emerg)\]|worker died|nginx died/)
  })
})
