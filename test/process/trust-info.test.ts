// needs: chromium libnss3-tools
// before a release: half a minute of a core
import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { makeCertificate } from '../make-certificate.ts'
import { fixture, type Monohull, startMonohull, temporaryFolder } from './monohull.ts'

const hello = ['run', 'node', fixture('hello.cjs')]
const browserDeadlineMs = 60_000

async function trustInfo(t: TestContext, monohull: Monohull, ...words: string[]) {
  const env = { MONOHULL_RUN_DIR: join(monohull.folder, 'run') }
  const told = startMonohull(t, { args: ['cert', 'trust-info', ...words], env })
  return { code: await told.exited, text: told.output() }
}

/** What Chromium makes of a page: its HTML, or its errors. */
function browse(home: string, url: string): Promise<string> {
  const words = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync']
  const quiet = ['--disable-background-networking', '--disable-component-update', '--enable-logging=stderr']
  const env = { PATH: process.env.PATH, HOME: home }
  return new Promise(resolve => {
    execFile(
      'chromium',
      [...words, ...quiet, `--user-data-dir=${join(home, 'profile')}`, '--dump-dom', url],
      { env, timeout: browserDeadlineMs, killSignal: 'SIGKILL' },
      (_error, stdout, stderr) => resolve(stdout + (stderr.match(/ERR_[A-Z_]+/g)?.join() ?? '')),
    )
  })
}

describe('monohull cert trust-info', () => {
  it('shows how Chromium accepts the certificate, which it rejected before', async t => {
    const monohull = startMonohull(t, { args: hello })
    const { httpsPort } = await monohull.serving()
    const url = `https://localhost:${httpsPort}/`
    const home = temporaryFolder(t)
    const database = `sql:${join(home, '.pki/nssdb')}`
    mkdirSync(join(home, '.pki/nssdb'), { recursive: true })
    execFileSync('certutil', ['-d', database, '-N', '--empty-password'])
    const refused = await browse(home, url)
    assert.match(refused, /ERR_CERT_AUTHORITY_INVALID/)
    assert.doesNotMatch(refused, /"worker":"app/)

    const { code, text } = await trustInfo(t, monohull)
    assert.equal(code, 0)
    const command = /^ *Chromium on Linux +(certutil .*?) {2,}/m.exec(text)?.[1] ?? ''
    copyFileSync(join(monohull.folder, 'state/local-ca.crt'), join(home, 'local-ca.crt'))
    execFileSync('sh', ['-c', command], { cwd: home, env: { PATH: process.env.PATH, HOME: home } })
    assert.match(await browse(home, url), /"worker":"app/)
  })

  it('shows the file, its fingerprint and the names it signs for, as text and as JSON', async t => {
    const monohull = startMonohull(t, { args: hello, env: { MONOHULL_SERVER_NAMES: 'shop.test' } })
    await monohull.serving()
    const file = join(monohull.folder, 'state/local-ca.crt')
    const { fingerprint256 } = new X509Certificate(readFileSync(file))
    const { text } = await trustInfo(t, monohull)
    for (const part of [
      file,
      fingerprint256,
      'shop.test',
      'docker cp NAME:',
      'update-ca-certificates',
      'update-ca-trust',
    ])
      assert.ok(text.includes(part), `${part} in ${text}`)
    for (const part of ['add-trusted-cert', 'certutil -addstore', 'Firefox', 'curl --cacert', 'NODE_EXTRA_CA_CERTS='])
      assert.ok(text.includes(part), `${part} in ${text}`)
    const told = JSON.parse((await trustInfo(t, monohull, '--json')).text)
    assert.deepEqual([told.file, told.fingerprint], [file, fingerprint256])
    assert.ok(told.names.includes('shop.test'))
  })

  it('says so if no certificate from the local CA is served', async t => {
    const folder = temporaryFolder(t)
    makeCertificate(join(folder, 'certs'), 'shop.test', { chain: 'tls.crt', key: 'tls.key' })
    const monohull = startMonohull(t, { folder, args: hello })
    await monohull.serving()
    const { code, text } = await trustInfo(t, monohull)
    assert.equal(code, 1)
    assert.match(text, /no certificate from the local CA is served.*shop\.test \(mounted, by CN=shop\.test\)/)
  })
})
