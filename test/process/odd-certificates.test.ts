// before a release: half a minute of a core; test/process/mounted-certificates.test.ts shows the common ones
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { makeCertificate } from '../make-certificate.ts'
import { type ChainOptions, makeChain } from '../make-chain.ts'
import { fixture, startMonohull, temporaryFolder, until } from './monohull.ts'
import { presented } from './presented.ts'

const hello = ['run', 'node', fixture('hello.cjs')]

describe('a chain', { concurrency: 3 }, () => {
  const weak: [string, ChainOptions, RegExp][] = [
    ['signed with SHA-1', { hash: 'sha1' }, /too weak for OpenSSL: the certificate is signed with SHA-1/],
    ['with a weak CA', { bits: 1024 }, /too weak for OpenSSL: the CA certificate CN=Middle has a key of 1024 bits/],
  ]
  for (const [name, options, says] of weak) {
    it(`${name}, with which nginx would not start, is reported at startup, and the others are served`, async t => {
      const folder = temporaryFolder(t)
      const certs = join(folder, 'certs')
      makeChain(join(certs, 'weak'), 'weak.test', options)
      makeCertificate(join(certs, 'good'), 'good.test', { chain: 'tls.crt', key: 'tls.key' })
      const monohull = startMonohull(t, { folder, args: hello })
      const { httpsPort } = await monohull.serving()
      await monohull.seen(says)
      assert.equal((await presented(httpsPort, 'good.test')).subject, 'CN=good.test')
      makeChain(join(certs, 'weak'), 'weak.test', {})
      await until(
        'it once it is good',
        async () => (await presented(httpsPort, 'weak.test')).subject === 'CN=weak.test',
      )
    })
  }

  it('with an expired CA is served, and reported', async t => {
    const folder = temporaryFolder(t)
    makeChain(join(folder, 'certs'), 'old.test', { days: -1 })
    const monohull = startMonohull(t, { folder, args: hello })
    const { httpsPort } = await monohull.serving()
    assert.equal((await presented(httpsPort)).subject, 'CN=old.test')
    await monohull.seen(/certificate warning .*CA certificate that expired on \d{4}-.*CN=Middle/)
  })
})

describe('a certificate path that is not a file', { concurrency: 3 }, () => {
  it('blocks neither startup nor the other certificates', async t => {
    const folder = temporaryFolder(t)
    const certs = join(folder, 'certs')
    makeCertificate(certs, 'good.test', { chain: 'tls.crt', key: 'tls.key' })
    const makePipes = (name: string) => execFileSync('mkfifo', [`${name}.pem`, `${name}.key`], { cwd: certs })
    makePipes('a')
    execFileSync('ln', ['-s', '/dev/zero', join(certs, 'b.pem')])
    execFileSync('ln', ['-s', 'b.key', join(certs, 'b.key')])
    const monohull = startMonohull(t, { folder, args: hello })
    const { httpsPort } = await monohull.serving()
    assert.equal((await presented(httpsPort)).subject, 'CN=good.test')
    for (const file of ['a.pem', 'b.pem']) await monohull.seen(new RegExp(`${file} is not a file`))
    makePipes('c')
    await monohull.seen(/the current one stays in use .*c\.pem is not a file/)
    rmSync(join(certs, 'c.pem'))
    makeCertificate(certs, 'next.test', { chain: 'tls.crt', key: 'tls.key' })
    await until('the next', async () => (await presented(httpsPort)).subject === 'CN=next.test')
  })
})
