// needs: libnginx-mod-http-brotli-filter
import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import http2 from 'node:http2'
import https from 'node:https'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import type { Readable } from 'node:stream'
import { describe, it, type TestContext } from 'node:test'
import { createBrotliDecompress, createGunzip } from 'node:zlib'
import { defer, fixture, type Monohull, startMonohull } from './monohull.ts'

const deadlineMs = 20_000
const protocols = ['HTTP/1.1', 'HTTPS/1.1', 'HTTP/2'] as const
const encodings = ['identity', 'gzip', 'br'] as const
const types = ['text/event-stream', 'text/html', 'text/plain', 'application/json', 'application/x-ndjson'] as const
/** Hosts and paths that lead to each kind of target. */
const targets = [
  { name: 'app', host: 'www.example.com', prefix: '' },
  { name: 'upstream', host: 'www.example.com', prefix: '/upstream' },
  { name: 'dynamic host', host: 'shop.example.com', prefix: '' },
  { name: 'dynamic address', host: 'far.example.com', prefix: '' },
] as const

/** Request for a response in two pieces. */
interface Asked {
  protocol: (typeof protocols)[number]
  encoding: (typeof encodings)[number]
  host: string
  path: string
}

/** Body of a response, decoded, and its encoding. */
interface Arriving {
  body: Readable
  encoding: string
}

/** One instance for all cases: an app, an upstream and two dynamic hosts that write pieces. */
async function startPieces(t: TestContext): Promise<Monohull> {
  const server: http.Server = createRequire(import.meta.url)(fixture('pieces.cjs'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  defer(t, () => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const monohull = startMonohull(t, {
    env: { MONOHULL_WORKERS: '1', MONOHULL_DIRECTORY: undefined },
    files: {
      'state/routes.json': JSON.stringify({ 'shop.example.com': 'app', 'far.example.com': `127.0.0.1:${port}` }),
      'monohull.yaml': `https: on
server_names: [www.example.com]
dynamic_routes: { store: file }
app: { command: [node, ${fixture('pieces.cjs')}] }
upstreams: { old: { servers: ["127.0.0.1:${port}"] } }
routes: [{ app: app }, { path: /upstream, upstream: old }]
`,
    },
  })
  await monohull.serving()
  return monohull
}

async function get(t: TestContext, monohull: Monohull, { protocol, encoding, host, path }: Asked): Promise<Arriving> {
  const { httpPort, httpsPort } = monohull.instance()
  const signal = AbortSignal.timeout(deadlineMs)
  if (protocol === 'HTTP/2') {
    const session = http2.connect(`https://127.0.0.1:${httpsPort}`, { rejectUnauthorized: false, servername: host })
    defer(t, () => session.destroy())
    const stream = session.request({ ':path': path, ':authority': host, 'accept-encoding': encoding })
    const [headers] = await once(stream, 'response', { signal })
    return decode(stream, headers['content-encoding'])
  }
  const isPlain = protocol === 'HTTP/1.1'
  const request = (isPlain ? http : https).get({
    host: '127.0.0.1',
    port: isPlain ? httpPort : httpsPort,
    path,
    headers: { host, 'accept-encoding': encoding },
    agent: false,
    ...(isPlain ? {} : { rejectUnauthorized: false, servername: host }),
  })
  defer(t, () => request.destroy())
  const [response] = (await once(request, 'response', { signal })) as [http.IncomingMessage]
  assert.equal(response.statusCode, 200)
  return decode(response, response.headers['content-encoding'])
}

function decode(raw: Readable, encoding = 'identity'): Arriving {
  if (encoding === 'identity') return { body: raw, encoding }
  return { body: raw.pipe(encoding === 'br' ? createBrotliDecompress() : createGunzip()), encoding }
}

describe('a response in pieces', () => {
  it('reaches the client in pieces over every protocol, compressed or not, from every target', async t => {
    const monohull = await startPieces(t)
    for (const protocol of protocols)
      for (const { name, host, prefix } of targets)
        for (const type of types)
          for (const encoding of encodings) {
            const what = [protocol, name, type, encoding].join(', ')
            const query = new URLSearchParams({ id: what, type })
            const asked = { protocol, encoding, host }
            const { body, encoding: used } = await get(t, monohull, { ...asked, path: `${prefix}/?${query}` })
            // events are not compressed
            assert.equal(used, type === 'text/event-stream' ? 'identity' : encoding, what)
            assert.equal(await nextPiece(body, what), 'first', what)
            const release = { path: `${prefix}/release?${query}`, headers: { host }, scheme: 'http' } as const
            assert.equal((await monohull.request(release)).body, 'true', what)
            assert.equal(await nextPiece(body, what), 'second', what)
          }
  })
})

/** The next piece of a body; fails after the deadline. */
async function nextPiece(body: Readable, what: string): Promise<string> {
  const signal = AbortSignal.timeout(deadlineMs)
  for (;;) {
    const chunk = body.read()
    if (chunk !== null) return String(chunk)
    await once(body, 'readable', { signal }).catch(() => assert.fail(`${what}: no piece in time`))
  }
}
