import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import http2 from 'node:http2'
import net, { type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import tls from 'node:tls'
import { makeCertificate } from '../make-certificate.ts'
import { defer, startMonohull, temporaryFolder } from './monohull.ts'

const h2c = `require('node:http2').createServer((_, response) => response.end()).listen(3000)`

/** A server that knows FastCGI's records only, as PHP-FPM does: it closes a connection that begins in another way. */
const fastcgi = () =>
  net.createServer(socket =>
    socket
      .on('error', () => {})
      .once('data', bytes => socket.end(bytes[0] === 1 ? Buffer.from('010a000000000000', 'hex') : '')),
  )

async function listening(t: TestContext, server: net.Server): Promise<string> {
  const sockets = new Set<net.Socket>()
  server.on('connection', socket => sockets.add(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  defer(t, () => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

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

  it('is asked what it speaks where nginx cannot know, as an upstream; one that crashes is not explained', async t => {
    const folder = temporaryFolder(t)
    makeCertificate(folder, 'localhost', { chain: 'chain', key: 'key' })
    const [cert, key] = ['chain', 'key'].map(file => readFileSync(join(folder, file)))
    const servers = {
      tls: await listening(
        t,
        tls.createServer({ cert, key }).on('tlsClientError', () => {}),
      ),
      fastcgi: await listening(t, fastcgi()),
      h2c: await listening(t, http2.createServer()),
      crashing: await listening(
        t,
        net.createServer(socket => socket.on('error', () => {}).once('data', () => socket.destroy())),
      ),
    }
    const cases = [
      ...Object.entries(servers).map(([name, address]) => ({ name, address, protocol: 'http' })),
      { name: 'tls-grpc', address: servers.tls, protocol: 'grpc' },
      { name: 'crashing-grpc', address: servers.crashing, protocol: 'grpc' },
      { name: 'h2c-fastcgi', address: servers.h2c, protocol: 'fastcgi' },
    ]
    const config = `https: on
upstreams:
${cases.map(({ name, address, protocol }) => `  ${name}: { servers: ['${address}'], protocol: ${protocol}, retries: 0, max_fails: 0 }`).join('\n')}
routes:
  - { path: /, response: { status: 200 } }
${cases.map(({ name }) => `  - { path: /${name}, upstream: ${name} }`).join('\n')}
`
    const env = { MONOHULL_WORKERS: undefined, MONOHULL_DIRECTORY: undefined }
    writeFileSync(join(folder, 'monohull.yaml'), config)
    const monohull = startMonohull(t, { folder, args: ['run'], env })
    await monohull.serving()
    for (const { name } of [...cases, ...cases]) await monohull.request({ path: `/${name}` })
    const said = async (address: string, text: string) =>
      monohull.seen(new RegExp(`warn a server of an upstream ${text.replace(/[()]/g, '\\$&')} server=${address} fix=`))
    await said(servers.tls, '"?speaks TLS, and nginx speaks http to it"?')
    await said(servers.fastcgi, 'speaks FastCGI, and nginx speaks http to it')
    await said(servers.h2c, 'speaks HTTP/2 without TLS (h2c), and nginx speaks http to it')
    await monohull.seen(
      /explanation: "the server speaks TLS: set tls of the upstream|speaks TLS, and nginx speaks grpc to it/,
    )
    await monohull.seen(/explanation: "the server does not speak FastCGI|\(h2c\), and nginx speaks fastcgi to it/)
    const about = monohull
      .output()
      .split('\n')
      .filter(
        line =>
          line.includes(`server=${servers.crashing}`) || (line.includes(servers.crashing) && /explanation/.test(line)),
      )
    assert.deepEqual(about, [])
    const lines = monohull.output().split('\n')
    const again = lines.filter(line => line.includes(`nginx speaks http to it server=${servers.tls} `))
    assert.equal(again.length, 1)
  })

  it('is explained, as the worker of an app, which is not ready', async t => {
    const folder = temporaryFolder(t)
    makeCertificate(folder, 'localhost', { chain: 'chain', key: 'key' })
    const command = 'exec openssl s_server -quiet -accept $PORT -cert chain -key key'
    const config = `https: off
app: { command: [sh, -c, '${command}'], listen: port, workers: 1, boot_timeout: 4s }
`
    writeFileSync(join(folder, 'monohull.yaml'), config)
    const monohull = startMonohull(t, { folder, args: ['run'] })
    await monohull.seen(
      /warn the server of the worker speaks TLS, and nginx speaks http to it worker=app\.1 .*fix="let it listen without TLS: nginx terminates TLS"/,
    )
    assert.notEqual(await monohull.exited, 0)
    assert.match(monohull.output(), /its server speaks TLS, and nginx speaks http to it; let it listen without TLS/)
    assert.doesNotMatch(monohull.output(), /worker ready/)
  })

  it('is explained by the worker itself, as an app of Node with TLS', async t => {
    const app = `require('node:https').createServer(() => {}).listen(0)`
    const monohull = startMonohull(t, { files: { 'tls.cjs': app }, args: ['run', 'node', 'tls.cjs'] })
    await monohull.seen(/the app's server speaks TLS, and nginx speaks http to it: create it with node:http/)
  })

  it('is explained in the log, as an app of HTTP/2', async t => {
    const monohull = startMonohull(t, { files: { 'h2c.cjs': h2c }, args: ['run', 'node', 'h2c.cjs'] })
    await monohull.seen(
      /the app's server speaks HTTP\/2 without TLS \(h2c\), and nginx speaks http to it: set protocol/,
    )
  })
})
