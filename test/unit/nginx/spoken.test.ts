// needs: openssl
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import http from 'node:http'
import http2 from 'node:http2'
import net, { type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import tls from 'node:tls'
import { spokenInstead } from '../../../supervisor/nginx/adapters/greeting.ts'
import { protocols } from '../../../supervisor/nginx/protocol.ts'
import { describeSpoken, fits, type Spoken, spokenIn } from '../../../supervisor/nginx/spoken.ts'
import { makeCertificate } from '../../make-certificate.ts'

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')
const goWantsTls = 'HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n'
const certain: [string, Buffer, Spoken][] = [
  ['a response of HTTP/1', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'), 'http'],
  ['what Go says to HTTP where it expects TLS', Buffer.from(goWantsTls), 'tls'],
  ['an alert', hex('15 0301 0002 0246'), 'tls'],
  ['a ServerHello', hex('16 0303 0039 02000035'), 'tls'],
  ['SETTINGS', hex('00000c 04 00 00000000 000300000080'), 'http2'],
  ['GOAWAY', hex('000008 07 00 00000000 0000000000000001'), 'http2'],
  ['values of FastCGI', hex('010a000000000000'), 'fastcgi'],
  ['a pong of uWSGI', hex('64000001'), 'uwsgi'],
]
const uncertain: [string, Buffer][] = [
  ['nothing', Buffer.alloc(0)],
  ['a page without a head', Buffer.from('<!DOCTYPE html>\n')],
  ['a page about TLS', Buffer.from('SSL_do_handshake failed')],
  ['bytes of a program', hex('1503')],
  ['zeros', Buffer.alloc(64)],
  ['a record of Redis', Buffer.from("-ERR unknown command 'OPTIONS'\r\n")],
  ['the banner of SSH', Buffer.from('SSH-2.0-OpenSSH_9.2\r\n')],
]

describe('nginx/spoken', () => {
  for (const [what, bytes, spoken] of certain) it(`knows ${what}`, () => assert.equal(spokenIn(bytes), spoken))
  for (const [what, bytes] of uncertain)
    it(`draws no conclusion from ${what}`, () => assert.equal(spokenIn(bytes), undefined))

  it('accepts what a protocol expects, and what says nothing', () => {
    for (const protocol of protocols) assert.ok(fits(protocol, undefined))
    assert.deepEqual([fits('grpc', 'http2'), fits('http', 'http2'), fits('uwsgi', 'http')], [true, false, false])
  })

  it('has a fix for the user of an app and of an upstream', () => {
    assert.deepEqual(describeSpoken('http', 'tls', 'app'), [
      'speaks TLS, and nginx speaks http to it',
      'let it listen without TLS: nginx terminates TLS',
    ])
    assert.match(describeSpoken('grpc', 'tls', 'upstream')[1], /^set tls of the upstream/)
    assert.equal(describeSpoken('http', 'fastcgi', 'app')[1], 'set protocol: fastcgi')
  })
})

async function listening(t: TestContext, server: net.Server): Promise<net.NetConnectOpts> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port }
}

describe('nginx/adapters/greeting', () => {
  it('asks real servers', async t => {
    const folder = mkdtempSync(join(tmpdir(), 'monohull-spoken-'))
    t.after(() => rmSync(folder, { recursive: true }))
    makeCertificate(folder, 'localhost', { chain: 'chain.pem', key: 'key.pem' })
    const [cert, key] = ['chain.pem', 'key.pem'].map(file => readFileSync(join(folder, file)))
    const servers: [string, net.Server, Partial<Record<(typeof protocols)[number], Spoken | undefined>>][] = [
      [
        'http',
        http.createServer((_, response) => response.end()),
        { http: undefined, grpc: 'http', fastcgi: 'http', uwsgi: 'http' },
      ],
      ['h2c', http2.createServer(), { http: 'http2', grpc: undefined, fastcgi: 'http2' }],
      [
        'tls',
        tls.createServer({ key, cert }).on('tlsClientError', () => {}),
        { http: 'tls', grpc: 'tls', fastcgi: 'tls', uwsgi: 'tls' },
      ],
      // as a program that crashes on each request
      [
        'closing',
        net.createServer(socket => socket.on('error', () => {}).once('data', () => socket.destroy())),
        { http: undefined, grpc: undefined },
      ],
      ['silent', net.createServer(socket => socket.on('error', () => {}).resume()), { http: undefined }],
    ]
    for (const [name, server, expected] of servers) {
      const to = await listening(t, server)
      for (const protocol of protocols.filter(one => one in expected))
        assert.equal(await spokenInstead(to, protocol, 300), expected[protocol], `${name} behind ${protocol}`)
    }
  })
})
