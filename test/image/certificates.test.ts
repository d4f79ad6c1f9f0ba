// needs: openssl
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { ask } from './ask.ts'
import { docker, type Owner, runToEnd, startContainer } from './docker.ts'

/** A folder to mount at /certs, with a certificate for a name; its key is for the owner alone, as certbot leaves it. */
function makeCertificate(owner: Owner, name: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'monohull-certs-'))
  owner.after(async () => rmSync(folder, { recursive: true }))
  const files = ['-keyout', join(folder, 'privkey.pem'), '-out', join(folder, 'fullchain.pem')]
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  execFileSync(
    'openssl',
    ['req', '-x509', ...key, ...files, '-days', '30', '-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`],
    { stdio: 'pipe' },
  )
  chmodSync(join(folder, 'privkey.pem'), 0o600)
  return folder
}

describe('/certs', { concurrency: 3 }, () => {
  it('is served when fullchain.pem and privkey.pem are mounted, and the app cannot read the key', async t => {
    const folder = makeCertificate(t, 'mounted.example')
    const container = await startContainer(t, { args: ['--volume', `${folder}:/certs:ro`] })
    const { status, certificate } = await ask(`${await container.https()}/`)
    assert.equal(status, 200)
    assert.equal(certificate?.subjectaltname, 'DNS:mounted.example')
    const asApp = await docker([
      'exec',
      '--user',
      'app',
      container.id,
      'sh',
      '-c',
      'cat /certs/privkey.pem >/dev/null 2>&1; echo $?',
    ])
    assert.equal(asApp, '1')
  })

  it('with a key of another certificate: says so, and serves one of the local CA', async t => {
    const folder = makeCertificate(t, 'mounted.example')
    const other = makeCertificate(t, 'other.example')
    const mounts = [
      '--volume',
      `${folder}/fullchain.pem:/certs/fullchain.pem:ro`,
      '--volume',
      `${other}/privkey.pem:/certs/privkey.pem:ro`,
    ]
    const container = await startContainer(t, { args: mounts })
    const { certificate } = await ask(`${await container.https()}/`)
    assert.match(certificate?.subjectaltname ?? '', /DNS:localhost/)
    assert.match(await container.logs(), /certificate rejected .*privkey\.pem does not belong to the certificate/)
    const checked = await runToEnd(mounts, ['check'])
    assert.equal(checked.code, 78)
    assert.match(checked.stdout + checked.stderr, /fullchain\.pem/)
  })

  it('without any: the one of the local CA survives a restart', async t => {
    const container = await startContainer(t)
    const first = await ask(`${await container.https()}/`)
    await docker(['restart', container.id])
    await container.waitUntilReady()
    const second = await ask(`${await container.https()}/`)
    assert.equal(second.certificate?.fingerprint256, first.certificate?.fingerprint256)
  })
})
