import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it } from 'node:test'
import { defer, startMonohull } from './monohull.ts'

const h2c = `require('node:http2').createServer((_, response) => response.end()).listen(3000)`

describe('a server of another protocol than configured', () => {
  it('is explained in the log, as an upstream', async t => {
    const server = http.createServer((_, response) => response.end('http')).listen(0, '127.0.0.1')
    await once(server, 'listening')
    defer(t, () => server.close())
    const address = `127.0.0.1:${(server.address() as AddressInfo).port}`
    const config = `https: on
upstreams:
  grpc: { servers: ['${address}'], protocol: grpc }
  fastcgi: { servers: ['${address}'], protocol: fastcgi }
  tls: { servers: ['${address}'], tls: { verify: false } }
routes:
  - { path: /, response: { status: 200 } }
${['grpc', 'fastcgi', 'tls'].map(name => `  - { path: /${name}, upstream: ${name} }`).join('\n')}
`
    const env = { MONOHULL_WORKERS: undefined, MONOHULL_DIRECTORY: undefined }
    const monohull = startMonohull(t, { files: { 'monohull.yaml': config }, args: ['run'], env })
    await monohull.serving()
    assert.equal((await monohull.request({ path: '/grpc' })).headers['grpc-status'], '14')
    assert.equal((await monohull.request({ path: '/fastcgi' })).status, 502)
    assert.equal((await monohull.request({ path: '/tls' })).status, 502)
    await monohull.seen(/http2 frame.*explanation: "the server responds in HTTP\/1, not gRPC: remove protocol: grpc/)
    await monohull.seen(/FastCGI.*explanation: "the server responds in HTTP, not FastCGI: remove protocol: fastcgi/)
    await monohull.seen(/SSL.*explanation: "the server does not speak TLS at this port: remove tls/)
  })

  it('is explained in the log, as an app of HTTP/2', async t => {
    const monohull = startMonohull(t, { files: { 'h2c.cjs': h2c }, args: ['run', 'node', 'h2c.cjs'] })
    await monohull.seen(
      /the app's server speaks HTTP\/2 without TLS \(h2c\), and nginx speaks http to it: set protocol/,
    )
  })
})
