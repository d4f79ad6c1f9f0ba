import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import tls from 'node:tls'
import { makeCertificate, makeDatedCertificate } from '../make-certificate.ts'
import { fixture, startMonohull, temporaryFolder } from './monohull.ts'
import { presented } from './presented.ts'

const hello = ['run', 'node', fixture('hello.cjs')]

async function servedName(t: TestContext, folder: string, env: Record<string, string> = {}) {
  const monohull = startMonohull(t, { folder, args: hello, env })
  const { httpsPort } = await monohull.serving()
  return { monohull, certificate: await presented(httpsPort) }
}

describe('mounted certificates', { concurrency: 3 }, () => {
  for (const [chain, key] of [
    ['fullchain.pem', 'privkey.pem'],
    ['tls.crt', 'tls.key'],
    ['cert.pem', 'key.pem'],
    ['shop.pem', 'shop.key'],
    ['shop.crt', 'shop.key'],
  ] as const) {
    it(`${chain} with ${key} is served`, async t => {
      const folder = temporaryFolder(t)
      makeCertificate(join(folder, 'certs'), 'shop.test', { chain, key })
      const { certificate, monohull } = await servedName(t, folder)
      assert.equal(certificate.subject, 'CN=shop.test')
      await monohull.seen(/certificate found .*shop\.test/)
    })
  }

  const broken: [string, (folder: string) => void, RegExp][] = [
    [
      'a key that does not match',
      folder => {
        makeCertificate(folder, 'a.test', { chain: 'fullchain.pem', key: 'other.pem' })
        makeCertificate(folder, 'b.test', { chain: 'other2.pem', key: 'privkey.pem' })
        rmSync(join(folder, 'other.pem'))
        rmSync(join(folder, 'other2.pem'))
      },
      /the key .*privkey\.pem does not belong to the certificate .*fullchain\.pem/,
    ],
    [
      'an expired certificate',
      folder => makeDatedCertificate(folder, 'old.test', { from: -60, to: -30 }),
      /fullchain\.pem expired on \d{4}-/,
    ],
    [
      'a file that is no certificate',
      folder => {
        makeCertificate(folder, 'a.test', { chain: 'fullchain.pem', key: 'privkey.pem' })
        writeFileSync(join(folder, 'fullchain.pem'), 'hello')
      },
      /fullchain\.pem contains no PEM certificate/,
    ],
    [
      'a key without its certificate',
      folder => {
        makeCertificate(folder, 'a.test', { chain: 'x.pem', key: 'tls.key' })
        rmSync(join(folder, 'x.pem'))
      },
      /the key .*tls\.key has no certificate next to it/,
    ],
  ]
  for (const [name, make, says] of broken) {
    it(`${name}: logged exactly, and the local certificate is served`, async t => {
      const folder = temporaryFolder(t)
      make(join(folder, 'certs'))
      const { certificate, monohull } = await servedName(t, folder)
      assert.equal(certificate.subject, 'CN=Monohull local certificate')
      await monohull.seen(says)
    })

    it(`${name}: reported by check, and by run with tls.required`, async t => {
      const folder = temporaryFolder(t)
      make(join(folder, 'certs'))
      const checked = startMonohull(t, { folder, args: ['check', ...hello.slice(1)] })
      assert.equal(await checked.exited, 78)
      assert.match(checked.output(), says)
      const required = startMonohull(t, { folder, args: hello, env: { MONOHULL_TLS_REQUIRED: 'true' } })
      assert.equal(await required.exited, 78)
      assert.match(required.output(), /tls\.required is set, but \S+ has no usable certificate: /)
    })
  }

  it('a new certificate is served after a reload; a broken one changes nothing', async t => {
    const folder = temporaryFolder(t)
    makeCertificate(join(folder, 'certs'), 'one.test', { chain: 'fullchain.pem', key: 'privkey.pem' })
    const { monohull } = await servedName(t, folder)
    const { httpsPort } = monohull.instance()
    makeCertificate(join(folder, 'certs'), 'two.test', { chain: 'fullchain.pem', key: 'privkey.pem' })
    monohull.signal('SIGHUP')
    await monohull.seen(/reload finished/)
    assert.equal((await presented(httpsPort)).subject, 'CN=two.test')
    writeFileSync(join(folder, 'certs/fullchain.pem'), 'half')
    monohull.signal('SIGHUP')
    await monohull.seen(/reload abandoned/)
    assert.equal((await presented(httpsPort)).subject, 'CN=two.test')
  })
})

describe('monohull cert', () => {
  it('finds a certificate by any of its names: in capitals, below a wildcard, an address', async t => {
    const folder = temporaryFolder(t)
    const names = ['*.shop.test']
    makeCertificate(join(folder, 'certs'), 'one.test', {
      chain: 'tls.crt',
      key: 'tls.key',
      names,
      address: '127.0.0.1',
    })
    const { monohull } = await servedName(t, folder)
    const env = { MONOHULL_RUN_DIR: join(monohull.folder, 'run') }
    const cert = async (...words: string[]) => {
      const told = startMonohull(t, { folder: temporaryFolder(t), args: ['cert', ...words], env })
      return { code: await told.exited, output: told.output() }
    }
    for (const name of ['ONE.test', 'api.shop.test', '*.shop.test', '127.0.0.1']) {
      const { code, output } = await cert('show', name)
      assert.deepEqual([code, /^names +one\.test, /m.test(output)], [0, true], output)
      assert.match((await cert('check', name)).output, /^serial \w+\nproblem: this machine does not trust it: \w+\n$/m)
    }
    assert.equal((await cert('show', 'a.b.shop.test')).code, 1)
    const other = await cert('check', '127.0.0.2')
    assert.match(other.output, /^127\.0\.0\.2: DNS:.*\n[\s\S]*problem: it does not cover 127\.0\.0\.2, only/)
  })
})

describe('tls.profile', { concurrency: 3 }, () => {
  /** The protocol that a client gets, or why it gets none. */
  function negotiated(port: number | undefined, version: tls.SecureVersion): Promise<string | null> {
    return new Promise(resolve => {
      const socket = tls.connect({
        host: '127.0.0.1',
        port: port ?? 0,
        rejectUnauthorized: false,
        minVersion: version,
        maxVersion: version,
      })
      socket.once('secureConnect', () => {
        resolve(socket.getProtocol())
        socket.destroy()
      })
      socket.once('error', error => resolve(error.message))
    })
  }

  it('intermediate is TLS 1.2 and 1.3, modern 1.3 alone; a reload changes it', async t => {
    const monohull = startMonohull(t, { args: hello, files: { 'monohull.yaml': '{}' } })
    const { httpsPort } = await monohull.serving()
    assert.deepEqual(
      [await negotiated(httpsPort, 'TLSv1.2'), await negotiated(httpsPort, 'TLSv1.3')],
      ['TLSv1.2', 'TLSv1.3'],
    )
    writeFileSync(join(monohull.folder, 'monohull.yaml'), 'tls: {profile: modern}')
    monohull.signal('SIGHUP')
    await monohull.seen(/reload finished/)
    assert.match((await negotiated(httpsPort, 'TLSv1.2')) ?? '', /protocol version|alert/)
    assert.equal(await negotiated(httpsPort, 'TLSv1.3'), 'TLSv1.3')
  })
})
