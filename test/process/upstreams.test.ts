import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { TLSSocket } from 'node:tls'
import { promisify } from 'node:util'
import { WebSocket, WebSocketServer } from 'ws'
import type { UpstreamServerStatus } from '../../supervisor/upstreams/status.ts'
import { makeCertificate } from '../make-certificate.ts'
import { launcher } from './built.ts'
import { defer, isolatedEnv, type Monohull, startMonohull, temporaryFolder, until } from './monohull.ts'

interface Server {
  port: number
  /** Answers of its /health. */
  isIll: boolean
  close(): Promise<void>
}

/** A server elsewhere that tells its name and what reached it. */
async function startServer(t: TestContext, name: string, tls?: https.ServerOptions): Promise<Server> {
  const answer: http.RequestListener = (request, response) => {
    if (request.url === '/health') response.statusCode = server.isIll ? 500 : 200
    const { url, headers } = request
    const sni = request.socket instanceof TLSSocket ? request.socket.servername : undefined
    if (url?.startsWith('/cookie')) response.setHeader('set-cookie', 'a=b; Domain=legacy.test; Path=/in')
    if (url?.startsWith('/moved')) response.setHeader('location', 'https://legacy.test:8443/in?x')
    response.end(JSON.stringify({ name, url, headers, sni }))
  }
  const listener = tls ? https.createServer(tls, answer) : http.createServer(answer)
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  async function close() {
    if (!listener.listening) return
    listener.close()
    listener.closeAllConnections()
    await once(listener, 'close')
  }
  const server: Server = { port: (listener.address() as AddressInfo).port, isIll: false, close }
  defer(t, close)
  return server
}

async function start(t: TestContext, upstreams: string, routes = '[{ upstream: legacy }]'): Promise<Monohull> {
  const monohull = startMonohull(t, {
    files: { 'monohull.yaml': `https: off\nupstreams:\n  legacy: ${upstreams}\nroutes: ${routes}\n` },
  })
  await monohull.serving()
  return monohull
}

/** The names of who answers so many requests. */
async function answering(monohull: Monohull, count = 12): Promise<string[]> {
  const names = new Set<string>()
  for (let index = 0; index < count; index++) {
    const { status, body } = await monohull.request({ path: '/x' })
    names.add(status === 200 ? JSON.parse(body).name : String(status))
  }
  return [...names].sort()
}

describe('routes to an upstream', () => {
  it('share the requests among its servers, tell who asks, and leave backups for later', async t => {
    const [a, b, c] = [await startServer(t, 'a'), await startServer(t, 'b'), await startServer(t, 'c')]
    const servers = `["127.0.0.1:${a.port}", "127.0.0.1:${b.port} weight=2", "127.0.0.1:${c.port} backup"]`
    const monohull = await start(t, `{ servers: ${servers}, balance: round_robin }`)
    assert.deepEqual(await answering(monohull), ['a', 'b'])
    const { body } = await monohull.request({ path: '/a%2Fb?x=1', headers: { host: 'shop.test' } })
    const { url, headers } = JSON.parse(body)
    assert.deepEqual(
      [url, headers.host, headers['x-forwarded-host'], headers['x-forwarded-proto']],
      ['/a%2Fb?x=1', 'shop.test', 'shop.test', 'http'],
    )
    await a.close()
    assert.deepEqual(await answering(monohull), ['b'])
    await b.close()
    assert.deepEqual(await answering(monohull), ['c'])
    await c.close()
    assert.equal((await monohull.request()).status, 502)
  })

  it('pass WebSockets and events on as those to an app do', async t => {
    const listener = http.createServer((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write('data: hello\n\n')
    })
    const sockets = new WebSocketServer({ server: listener })
    sockets.on('connection', socket => socket.on('message', text => socket.send(`echo ${text}`)))
    listener.listen(0, '127.0.0.1')
    await once(listener, 'listening')
    defer(t, () => {
      for (const socket of sockets.clients) socket.terminate()
      listener.close()
      listener.closeAllConnections()
    })
    const { port } = listener.address() as AddressInfo
    const monohull = await start(t, `{ servers: ["127.0.0.1:${port}"] }`)
    const { httpPort } = monohull.instance()
    const signal = AbortSignal.timeout(20_000)

    const socket = new WebSocket(`ws://127.0.0.1:${httpPort}/x`)
    defer(t, () => socket.terminate())
    await once(socket, 'open', { signal })
    socket.send('hello')
    assert.equal(String((await once(socket, 'message', { signal }))[0]), 'echo hello')

    const request = http.get({ host: '127.0.0.1', port: httpPort, agent: false })
    defer(t, () => request.destroy())
    const [response] = (await once(request, 'response', { signal })) as [http.IncomingMessage]
    // the answer never ends
    assert.equal(String((await once(response, 'data', { signal }))[0]), 'data: hello\n\n')
  })

  it('leave out a server that failed requests, for fail_timeout', async t => {
    let asked = 0
    const broken = createServer(socket => {
      asked++
      socket.destroy()
    })
    broken.listen(0, '127.0.0.1')
    await once(broken, 'listening')
    defer(t, () => broken.close())
    const well = await startServer(t, 'well')
    const { port } = broken.address() as AddressInfo
    const servers = `["127.0.0.1:${port}", "127.0.0.1:${well.port}"]`
    const settings = 'balance: round_robin, max_fails: 2, fail_timeout: 10m'
    const monohull = await start(t, `{ servers: ${servers}, ${settings} }`)
    assert.deepEqual(await answering(monohull, 20), ['well'])
    assert.equal(asked, 2)
    const patient = await start(t, `{ servers: ${servers}, balance: round_robin, max_fails: 0, retries: 0 }`)
    assert.deepEqual(await answering(patient), ['502', 'well'])
  })

  it('leave out a server that fails its checks until it is well again, and none when all fail', async t => {
    const [a, b] = [await startServer(t, 'a'), await startServer(t, 'b')]
    const health = '{ path: /health, interval: 100ms, timeout: 5s, fails: 2, passes: 2 }'
    const servers = `["127.0.0.1:${a.port}", "127.0.0.1:${b.port}"]`
    const monohull = await start(t, `{ servers: ${servers}, balance: round_robin, health: ${health} }`)
    assert.deepEqual(await answering(monohull), ['a', 'b'])
    a.isIll = true
    await monohull.seen(
      /warn server fails its health checks upstream=legacy server=127\.0\.0\.1:\d+ reason="status 500"/,
    )
    await until('only b to answer', async () => (await answering(monohull)).join() === 'b')
    const told = async (...flags: string[]) =>
      (
        await promisify(execFile)(process.execPath, [launcher, 'status', ...flags], {
          env: isolatedEnv(monohull.folder),
        })
      ).stdout
    assert.match(
      await told(),
      new RegExp(`legacy +127.0.0.1:${a.port} +down \\(not in nginx\\) +\\d+ s +status 500\\n`),
    )
    const { upstreams } = JSON.parse(await told('--json'))
    assert.deepEqual(
      upstreams.map((server: UpstreamServerStatus) => [server.server, server.state, server.isInRotation]),
      [
        [`127.0.0.1:${a.port}`, 'down', false],
        [`127.0.0.1:${b.port}`, 'up', true],
      ],
    )
    a.isIll = false
    await monohull.seen(/info server is healthy again/)
    await until('both to answer', async () => (await answering(monohull)).join() === 'a,b')
    a.isIll = true
    b.isIll = true
    await monohull.seen(
      /error all servers of an upstream fail their health checks, requests go to all of them upstream=legacy/,
    )
    await until('both to answer again', async () => (await answering(monohull)).join() === 'a,b')
  })

  it('start without a server whose name leads nowhere, and look up those that do', async t => {
    const a = await startServer(t, 'a')
    const monohull = startMonohull(t, {
      files: {
        'monohull.yaml': `https: off
upstreams:
  here: { servers: ["localhost:${a.port}", "nowhere.invalid:80"] }
  gone: { servers: ["nowhere.invalid:80"] }
routes: [{ upstream: here }, { path: /gone, upstream: gone }]
`,
      },
    })
    await monohull.serving()
    await monohull.seen(/warn cannot resolve server name name=nowhere\.invalid .*no requests until it resolves/)
    assert.deepEqual(await answering(monohull, 4), ['a'])
    assert.equal((await monohull.request({ path: '/gone' })).status, 503)
    const check = startMonohull(t, { folder: monohull.folder, args: ['check'] })
    assert.equal(await check.exited, 0)
    assert.match(check.output(), /cannot resolve nowhere\.invalid: .*no requests until it resolves/)
  })

  it('speak TLS with its servers, and refuse another certificate', async t => {
    const folder = temporaryFolder(t)
    makeCertificate(folder, 'legacy.test', { chain: 'cert.pem', key: 'key.pem' })
    const [cert, key] = ['cert.pem', 'key.pem'].map(name => readFileSync(join(folder, name)))
    const a = await startServer(t, 'a', { cert, key })
    const tls = (name: string) => `tls: { ca: "${join(folder, 'cert.pem')}", name: ${name} }`
    const servers = `servers: ["127.0.0.1:${a.port}"], host: legacy.test`
    const monohull = startMonohull(t, {
      files: {
        'monohull.yaml': `https: off
upstreams:
  good: { ${servers}, ${tls('legacy.test')}, health: { path: /health, interval: 100ms } }
  bad: { ${servers}, ${tls('other.test')} }
routes: [{ path: /good, upstream: good, strip_prefix: true }, { path: /bad, upstream: bad }]
`,
      },
    })
    await monohull.serving()
    const { status, body } = await monohull.request({ path: '/good/x' })
    assert.equal(status, 200, monohull.output())
    const { url, headers, sni } = JSON.parse(body)
    assert.deepEqual([url, headers.host, sni], ['/x', 'legacy.test', 'legacy.test'])
    const { headers: answered } = await monohull.request({ path: '/good/cookie', headers: { host: 'shop.test' } })
    assert.deepEqual(answered['set-cookie'], ['a=b; Domain=shop.test; Path=/good/in'])
    assert.equal((await monohull.request({ path: '/good/moved' })).headers.location, '/good/in?x')
    assert.equal((await monohull.request({ path: '/bad/x' })).status, 502)
    assert.doesNotMatch(monohull.output(), /fails? (its|their) health checks/)
  })

  it('come and go with a reload', async t => {
    const a = await startServer(t, 'a')
    const monohull = await start(t, '{ servers: ["nowhere.invalid:80"] }')
    assert.doesNotMatch(monohull.output(), /no route leads/)
    const yaml = `https: off\nupstreams: { spare: { servers: ["127.0.0.1:1"] }, other: { servers: ["127.0.0.1:${a.port}"] } }\nroutes: [{ upstream: other }]\n`
    writeFileSync(join(monohull.folder, 'monohull.yaml'), yaml)
    monohull.signal('SIGHUP')
    await monohull.seen(/reload finished/)
    await until('the other upstream', async () => (await answering(monohull, 4)).join() === 'a')
    await monohull.seen(
      /warn no route leads to an upstream upstream=spare fix="add {path: \/spare, upstream: spare} to routes"/,
    )
    const check = startMonohull(t, { folder: monohull.folder, args: ['check'] })
    assert.equal(await check.exited, 0)
    assert.match(check.output(), /monohull: warning: no route leads to the upstream spare\n/)
  })
})
