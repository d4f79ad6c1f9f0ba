import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { makeCertificate, makeDatedCertificate } from '../make-certificate.ts'
import { freePorts } from './free-ports.ts'
import { kubeletVolume } from './kubelet-volume.ts'
import { fixture, isolatedEnv, type Monohull, startMonohull, temporaryFolder, until } from './monohull.ts'
import { presented } from './presented.ts'

const hello = ['run', 'node', fixture('hello.cjs')]
const pair = { chain: 'tls.crt', key: 'tls.key' }

/** An instance with certificates by folder in cert_dir; '' is cert_dir itself. */
async function serve(t: TestContext, names: Record<string, string> = {}) {
  const folder = temporaryFolder(t)
  const certs = join(folder, 'certs')
  for (const [place, name] of Object.entries(names)) makeCertificate(join(certs, place), name, pair)
  const monohull = startMonohull(t, { folder, args: hello })
  const { httpsPort } = await monohull.serving()
  const subject = async (name?: string) => (await presented(httpsPort, name)).subject
  const seesOnly = (name: string, asked = name) =>
    until(`${name} for ${asked}`, async () => (await subject(asked)) === `CN=${name}`, { details: monohull.output })
  return { monohull, folder, certs, httpsPort, subject, seesOnly }
}

async function status(t: TestContext, monohull: Monohull) {
  const told = startMonohull(t, { args: ['status', '--json'], env: { MONOHULL_RUN_DIR: join(monohull.folder, 'run') } })
  assert.equal(await told.exited, 0)
  return JSON.parse(told.output()).certificates
}

describe('a mounted certificate that changes', { concurrency: 3 }, () => {
  it('is served without a reload, by the same workers; key and certificate may be written separately', async t => {
    const { monohull, folder, certs, subject, seesOnly } = await serve(t, { '': 'one.test' })
    const workers = [monohull.worker(1), monohull.worker(2)]
    makeCertificate(folder, 'two.test', pair)
    writeFileSync(join(certs, 'tls.crt'), readFileSync(join(folder, 'tls.crt')))
    await monohull.seen(/certificate rejected, the current one stays in use .*does not belong/)
    assert.equal(await subject(), 'CN=one.test')
    writeFileSync(join(certs, 'tls.key'), readFileSync(join(folder, 'tls.key')))
    await seesOnly('two.test')
    await monohull.seen(/info certificates changed: two\.test until/)
    assert.deepEqual([monohull.worker(1), monohull.worker(2)], workers)
    assert.deepEqual((await status(t, monohull)).problems, [])
  })

  it('and is broken changes nothing, is logged in one line, and shows in the status', async t => {
    const { monohull, certs, subject, seesOnly } = await serve(t, { '': 'one.test', other: 'other.test' })
    writeFileSync(join(certs, 'other/tls.crt'), '-----BEGIN CERTIFICATE-----\nMIIB')
    await monohull.seen(/the current one stays in use .*other\/tls\.crt is cut off/)
    makeCertificate(join(certs, 'third'), 'third.test', pair)
    await seesOnly('third.test')
    assert.equal(await subject('other.test'), 'CN=other.test')
    const { served, problems } = await status(t, monohull)
    assert.deepEqual(
      served.map(({ names }: { names: string[] }) => names[0]),
      ['one.test', 'other.test', 'third.test'],
    )
    assert.match(problems.join(), /other\/tls\.crt is cut off/)
    assert.equal(monohull.output().match(/is cut off/g)?.length, 1, monohull.output())
  })

  it('is reported if a handshake shows another certificate: a server of the user has the same name', async t => {
    const folder = temporaryFolder(t)
    const certs = join(folder, 'certs')
    const [httpsPort = 0] = await freePorts(1)
    makeCertificate(certs, 'one.test', pair)
    makeCertificate(join(folder, 'own'), 'own.test', pair)
    mkdirSync(join(folder, 'nginx/http.d'), { recursive: true })
    writeFileSync(
      join(folder, 'nginx/http.d/own.conf'),
      `server {
    listen 127.0.0.1:${httpsPort} ssl;
    server_name two.test;
    ssl_certificate ${folder}/own/tls.crt;
    ssl_certificate_key ${folder}/own/tls.key;
}
`,
    )
    const env = { MONOHULL_HTTPS_PORT: String(httpsPort) }
    const monohull = startMonohull(t, { folder, args: hello, env })
    await monohull.serving()
    makeCertificate(join(certs, 'two'), 'two.test', pair)
    await monohull.seen(
      /certificates changed, but a handshake shows another certificate.*\n?.*two\.test.*shows CN=own\.test/,
    )
    assert.equal((await presented(httpsPort, 'one.test')).subject, 'CN=one.test')
  })

  it("follows Kubernetes' swaps of a Secret, several within a second too, and past one that is broken", async t => {
    const folder = temporaryFolder(t)
    const certs = join(folder, 'certs')
    const swap = kubeletVolume(certs)
    const secret = (name: string) => {
      makeCertificate(join(folder, name), name, pair)
      return Object.fromEntries(Object.values(pair).map(file => [file, readFileSync(join(folder, name, file), 'utf8')]))
    }
    const [one, two, three, four, five] = ['one', 'two', 'three', 'four', 'five'].map(name => secret(`${name}.test`))
    assert.ok(one && two && three && four && five)
    swap(one)
    const monohull = startMonohull(t, { folder, args: hello })
    const { httpsPort } = await monohull.serving()
    const sees = (name: string) =>
      until(name, async () => (await presented(httpsPort)).subject === `CN=${name}`, { details: monohull.output })
    await sees('one.test')
    swap(two)
    await sees('two.test')
    swap({ ...one, 'tls.key': two['tls.key'] ?? '' })
    await monohull.seen(/certificate rejected, the current one stays in use .*does not belong/)
    await sees('two.test')
    swap(three)
    await sees('three.test')
    for (const files of [one, four, { ...five, 'ca.crt': five['tls.crt'] ?? '' }]) {
      swap(files)
      await setTimeout(250)
    }
    await sees('five.test')
    assert.deepEqual((await status(t, monohull)).problems, [])
  })

  it('replaces the local one when it appears, and stays in use when it is removed', async t => {
    const { monohull, certs, subject, seesOnly } = await serve(t)
    assert.match(await subject(), /local/)
    makeCertificate(certs, 'late.test', pair)
    await seesOnly('late.test')
    rmSync(certs, { recursive: true })
    await monohull.seen(
      /the current one stays in use .*a mounted certificate is in use, but \S+ no longer has a usable one/,
    )
    assert.equal(await subject(), 'CN=late.test')
  })

  it('and does not cover the configured names is reported, at startup, by check and when it changes', async t => {
    const folder = temporaryFolder(t, { 'monohull.yaml': 'server_names: [one.test, shop.test, 192.0.2.1]' })
    makeCertificate(join(folder, 'certs'), 'one.test', pair)
    const monohull = startMonohull(t, { folder, args: hello })
    await monohull.serving()
    await monohull.seen(/warn no certificate covers some names: .* names=shop\.test fix=/)
    const checked = startMonohull(t, { folder: temporaryFolder(t), args: ['check'], env: isolatedEnv(folder) })
    assert.equal(await checked.exited, 0, checked.output())
    assert.match(checked.output(), /no certificate covers shop\.test/)
    makeCertificate(join(folder, 'certs'), 'shop.test', pair)
    await monohull.seen(/no certificate covers some names: .* names=one\.test fix=/)
  })

  it('is noticed next to a file that is written all the time', async t => {
    const { certs, seesOnly } = await serve(t, { '': 'one.test' })
    const writing = setInterval(() => appendFileSync(join(certs, 'renewals.log'), 'a line\n'), 50)
    t.after(() => clearInterval(writing))
    makeCertificate(certs, 'two.test', pair)
    await seesOnly('two.test')
  })

  it('and is not valid yet is reported, and served once it is', async t => {
    const folder = temporaryFolder(t)
    const inSeconds = 9
    makeDatedCertificate(join(folder, 'certs'), 'early.test', { from: inSeconds / 86_400, to: 30 })
    const monohull = startMonohull(t, { folder, args: hello })
    const { httpsPort } = await monohull.serving()
    await monohull.seen(/certificate rejected .*fullchain\.pem is not valid before/)
    await until('the certificate', async () => (await presented(httpsPort)).subject === 'CN=early.test')
    await monohull.seen(/info certificates changed: early\.test/)
    assert.deepEqual((await status(t, monohull)).problems, [])
  })

  it('and expires soon is reported, with the time left', async t => {
    const folder = temporaryFolder(t)
    makeDatedCertificate(join(folder, 'certs'), 'short.test', { from: -28, to: 2.01 })
    const monohull = startMonohull(t, { folder, args: hello })
    await monohull.seen(/warn certificate expires soon expires_in="2 days"/)
  })
})

describe('several mounted certificates', { concurrency: 3 }, () => {
  it('are chosen by the name that the client requests', async t => {
    const { certs, subject, seesOnly } = await serve(t, { '': 'main.test', shop: 'shop.test' })
    assert.deepEqual(
      [await subject('main.test'), await subject('shop.test'), await subject('unknown.test')],
      ['CN=main.test', 'CN=shop.test', 'CN=main.test'],
    )
    makeCertificate(join(certs, 'wild'), '*.shop.test', pair)
    await seesOnly('*.shop.test', 'api.shop.test')
    assert.equal(await subject('shop.test'), 'CN=shop.test')
    rmSync(join(certs, 'shop'), { recursive: true })
    await seesOnly('main.test', 'shop.test')
  })

  it('of two key types for one name: each client gets the one that it supports', async t => {
    const folder = temporaryFolder(t)
    makeCertificate(join(folder, 'certs'), 'shop.test', { chain: 'a.pem', key: 'a.key' })
    makeCertificate(join(folder, 'certs'), 'shop.test', { chain: 'b.pem', key: 'b.key', keyType: 'rsa' })
    const monohull = startMonohull(t, { folder, args: hello })
    const { httpsPort } = await monohull.serving()
    for (const [keyType, expected] of [
      ['ecdsa', 'ec'],
      ['rsa', 'rsa'],
    ] as const) {
      const certificate = await presented(httpsPort, 'shop.test', keyType)
      assert.equal(certificate.publicKey.asymmetricKeyType, expected)
    }
    makeCertificate(join(folder, 'certs'), 'shop.test', { chain: 'b.pem', key: 'b.key', keyType: 'rsa', days: 60 })
    await monohull.seen(/certificates changed/)
    const { validTo } = await presented(httpsPort, 'shop.test', 'rsa')
    assert.ok(Date.parse(validTo) > Date.now() + 50 * 86_400_000, validTo)
  })

  it('serve a request for each name, over HTTP/1.1', async t => {
    const { monohull } = await serve(t, { '': 'main.test', shop: 'shop.test' })
    for (const host of ['main.test', 'shop.test', 'unknown.test'])
      assert.equal((await monohull.request({ headers: { host } })).status, 200, host)
  })
})

describe('certificates that nginx would reject', { concurrency: 3 }, () => {
  for (const [name, damage, says] of [
    [
      'a key too weak',
      'openssl req -x509 -newkey rsa:1024 -nodes -keyout tls.key -out tls.crt -subj /CN=a',
      /has 1024 bits/,
    ],
    ['PKCS#7', 'openssl crl2pkcs7 -nocrl -certfile tls.crt -out p && mv p tls.crt', /tls\.crt is PKCS#7/],
    [
      'a passphrase',
      'openssl pkey -in tls.key -aes256 -passout pass:x -out k && mv k tls.key',
      /protected by a passphrase/,
    ],
    ['the two swapped', 'mv tls.key x && mv tls.crt tls.key && mv x tls.crt', /tls\.crt contains a private key/],
  ] as const) {
    it(`${name}: logged exactly, at startup and while it runs`, async t => {
      const { monohull, certs, subject } = await serve(t, { '': 'good.test' })
      execFileSync('sh', ['-c', damage], { cwd: certs, stdio: 'ignore' })
      await monohull.seen(says)
      assert.equal(await subject(), 'CN=good.test')
      const folder = temporaryFolder(t)
      mkdirSync(join(folder, 'certs'))
      for (const file of Object.values(pair))
        writeFileSync(join(folder, 'certs', file), readFileSync(join(certs, file)))
      const second = startMonohull(t, { folder, args: hello })
      await second.serving()
      await second.seen(says)
    })
  }

  it('a byte order mark, CRLF, the key inside the chain, the chain in disorder: served', async t => {
    const folder = temporaryFolder(t)
    const certs = join(folder, 'certs')
    makeCertificate(certs, 'odd.test', pair)
    makeCertificate(folder, 'stranger.test', pair)
    const read = (path: string) => readFileSync(path, 'utf8')
    const text = read(join(folder, 'tls.crt')) + read(join(certs, 'tls.key')) + read(join(certs, 'tls.crt'))
    writeFileSync(join(certs, 'tls.crt'), `\ufeff${text.replaceAll('\n', '\r\n')}`)
    const monohull = startMonohull(t, { folder, args: hello })
    const { httpsPort } = await monohull.serving()
    assert.equal((await presented(httpsPort)).subject, 'CN=odd.test')
    await monohull.seen(/certificates outside the chain, which are not served: CN=stranger\.test/)
  })
})
