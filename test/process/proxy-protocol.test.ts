import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'
import { healthcheck } from './built.ts'
import { freePorts } from './free-ports.ts'
import { fixture, startMonohull } from './monohull.ts'
import { bodyOf, sendRaw } from './raw.ts'

const hello = ['run', 'node', fixture('hello.cjs')]
const balancer = '127.0.0.2'
const stranger = '127.0.0.3'

describe('headers about where a request came from, with the PROXY protocol', () => {
  it('come from it where it is spoken, which a stranger is not believed, nor any header', async t => {
    const [healthPort] = await freePorts(1)
    const health = `health: { port: ${healthPort} }`
    const monohull = startMonohull(t, {
      args: hello,
      files: { 'monohull.yaml': `https: on\ntrusted_proxies: [${balancer}]\nproxy_protocol: true\n${health}\n` },
    })
    const { httpPort, httpsPort } = await monohull.serving()
    const preface = 'PROXY TCP4 203.0.113.7 10.0.0.1 5555 443\r\n'
    const request =
      'GET / HTTP/1.1\r\nHost: shop.example\r\nX-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\nConnection: close\r\n\r\n'
    const seen = async (port: number | undefined, from: string, tls: boolean) => {
      const answer = await sendRaw(port, request, { from, tls, preface })
      const { headers } = JSON.parse(bodyOf(answer))
      return [headers['x-forwarded-for'], headers['x-forwarded-proto']]
    }
    assert.deepEqual(await seen(httpPort, balancer, false), ['203.0.113.7', 'http'])
    assert.deepEqual(await seen(httpsPort, balancer, true), ['203.0.113.7', 'https'])
    assert.deepEqual(await seen(httpPort, stranger, false), [stranger, 'http'])
    assert.equal(await sendRaw(httpPort, request, { from: balancer }), '')

    const env = { PATH: process.env.PATH, MONOHULL_RUN_DIR: join(monohull.folder, 'run') }
    await promisify(execFile)(process.execPath, [healthcheck], { env })

    // a probe that knows nothing of the protocol
    const probe = async (path: string) => {
      const lines = [`GET ${path} HTTP/1.1`, 'Host: 10.1.2.3:8081', 'Connection: close']
      return /^HTTP\/1\.1 (\d+)/.exec(
        await sendRaw(healthPort, `${lines.join('\r\n')}\r\n\r\n`, { from: stranger }),
      )?.[1]
    }
    assert.deepEqual([await probe('/healthz'), await probe('/readyz'), await probe('/')], ['200', '200', '404'])
  })

  it('come from any form of it, and what is none of it is hung up on', async t => {
    const monohull = startMonohull(t, {
      args: hello,
      files: { 'monohull.yaml': `https: off\ntrusted_proxies: [${balancer}]\nproxy_protocol: true\n` },
    })
    const { httpPort } = await monohull.serving()
    const signature = '\r\n\r\n\0\r\nQUIT\n'
    const binary = (command: string, family: string, addresses: string) =>
      `${signature}${command}${family}\0${String.fromCharCode(addresses.length)}${addresses}`
    const ipv4 = '\xcb\0\x71\x07\x0a\0\0\x01\x15\xb3\x01\xbb'
    const ipv6 = `\x20\x01\x0d\xb8${'\0'.repeat(11)}\x07`.repeat(2)
    const cases: [string, string | undefined][] = [
      ['PROXY TCP4 203.0.113.7 10.0.0.1 5555 443\r\n', '203.0.113.7'],
      ['PROXY TCP6 2001:db8::7 2001:db8::1 5555 443\r\n', '2001:db8::7'],
      ['PROXY UNKNOWN\r\n', balancer],
      [binary('\x21', '\x11', ipv4), '203.0.113.7'],
      // with what a balancer may add
      [binary('\x21', '\x11', `${ipv4}\x04\0\x02ab`), '203.0.113.7'],
      [binary('\x21', '\x21', `${ipv6}\x15\xb3\x01\xbb`), '2001:db8::7'],
      // a balancer's own check of health
      [binary('\x20', '\0', ''), balancer],
      ['PROXY TCP4 999.0.113.7 10.0.0.1 x y\r\n', undefined],
      ['proxy TCP4 203.0.113.7 10.0.0.1 5555 443\r\n', undefined],
      [`PROXY TCP4 ${'1'.repeat(300)}\r\n`, undefined],
      [`${signature}\x21\x11\0\x02ab`, undefined],
      ['\x16\x03\x01\x02\0', undefined],
    ]
    for (const [preface, client] of cases) {
      const lines = ['GET / HTTP/1.1', 'Host: shop.example', 'X-Forwarded-For: 6.6.6.6', 'Connection: close']
      const answer = await sendRaw(httpPort, `${lines.join('\r\n')}\r\n\r\n`, { from: balancer, preface })
      if (client === undefined) assert.equal(answer, '', JSON.stringify(preface))
      else assert.equal(JSON.parse(bodyOf(answer)).headers['x-forwarded-for'], client, JSON.stringify(preface))
    }
  })

  it('proxy_protocol without trusted_proxies is refused', async t => {
    const monohull = startMonohull(t, { args: hello, env: { MONOHULL_PROXY_PROTOCOL: 'true' } })
    assert.equal(await monohull.exited, 78)
    assert.match(monohull.output(), /proxy_protocol: has no effect without trusted_proxies/)
  })
})
