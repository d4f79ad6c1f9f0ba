// needs: openssl
import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { probeCertificate } from '../../supervisor/certificates/adapters/tls-probe.ts'
import { makeIssuedCertificate } from '../make-issued-certificate.ts'
import { startContainer, until } from './docker.ts'

const kept = 'acme/on-demand/shop.test/0123456789abcdef'

describe('tls.on_demand in the image', () => {
  for (const [who, args, uid] of [
    ['root', [], 0],
    [
      'a user without capabilities',
      ['--user', '12345', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges'],
      12345,
    ],
  ] as const) {
    it(`serves what was obtained before, and refuses other names, started as ${who}`, async t => {
      const state = mkdtempSync(join(tmpdir(), 'monohull-state-'))
      t.after(() => rmSync(state, { recursive: true }))
      makeIssuedCertificate(join(state, kept), 'shop.test', join(state, 'root.pem'))
      for (const path of ['', 'acme', 'acme/on-demand', 'acme/on-demand/shop.test', kept])
        chmodSync(join(state, path), 0o777)
      chmodSync(join(state, kept, 'privkey.pem'), uid === 0 ? 0o600 : 0o644)
      const env = [
        'MONOHULL_TLS_ACME_DIRECTORY=https://127.0.0.1:1/directory',
        'MONOHULL_TLS_ON_DEMAND_ASK=http://127.0.0.1:1/',
      ].flatMap(text => ['--env', text])
      const container = await startContainer(t, { args: [...args, ...env, '--volume', `${state}:/var/lib/monohull`] })
      const port = Number(new URL(await container.https()).port)
      const shown = (name: string) =>
        probeCertificate({ host: '127.0.0.1', port, name }).then(
          ({ certificate }) => certificate.subjectAltName,
          (error: Error) => error.message,
        )
      assert.equal(await shown('shop.test'), 'DNS:shop.test')
      assert.match((await shown('other.test')) ?? '', /alert/)
      await until('a word about it', async () => /names without a certificate are refused/.test(await container.logs()))
      assert.match((await shown('localhost')) ?? '', /DNS:localhost/)
    })
  }
})
