// needs: docker-compose openssl
// before a release: two minutes of a core, most of them in installing packages
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:http2'
import { get } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { WebSocket } from 'ws'
import { makeCertificate } from '../make-certificate.ts'
import { ask } from './ask.ts'
import { startProject } from './compose.ts'
import { buildExample, docker, startContainer, until } from './docker.ts'

const timeout = 400_000

async function json(url: string, headers: Record<string, string> = {}) {
  const { status, body } = await ask(url, { headers })
  return status === 200 ? JSON.parse(body) : { status, body }
}

describe('examples of the front', () => {
  it('flask-load-balanced: two servers behind one front, and none of them missed when it stops', {
    timeout,
  }, async t => {
    const { compose, origin } = await startProject(t, 'flask-load-balanced')
    const front = await origin(8080)
    const seen = new Map<string, { host: string; forwarded: Record<string, string> }>()
    await until('both servers', async () => {
      const answer = await json(front, { host: 'api.test', 'x-forwarded-for': '203.0.113.9' }).catch(() => ({}))
      if (answer.port) seen.set(answer.port, answer)
      return seen.size === 2
    })
    assert.deepEqual([...seen.keys()].sort(), ['5000', '5001'])
    assert.equal(new Set([...seen.values()].map(({ host }) => host)).size, 2)
    for (const { forwarded } of seen.values()) {
      const { 'X-Real-Ip': address, 'X-Forwarded-Server': server, ...others } = forwarded
      assert.match(address ?? '', /^[\d.]+$/)
      assert.notEqual(address, '203.0.113.9')
      assert.match(server ?? '', /^[0-9a-f]{12}$/)
      assert.deepEqual(others, {
        'X-Forwarded-For': address,
        'X-Forwarded-Host': 'api.test',
        'X-Forwarded-Port': '80',
        'X-Forwarded-Proto': 'http',
      })
    }
    await compose('stop', '--timeout', '2', 'api-2')
    for (let count = 0; count < 6; count++) assert.equal((await json(front)).port, '5000')
    assert.match(await compose('ps', 'api-1'), /api-1/)
    await assert.rejects(compose('port', 'api-1', '5000').then(port => assert.notEqual(port, '')))
    const processes = await docker(['top', await compose('ps', '--quiet', 'api-1'), '-eo', 'pid,user:9'])
    assert.match(processes, /^PID +USER\n(\d+ +10001(\n|$)){3}$/)
  })

  it('flask-load-balanced: the same in one image', { timeout }, async t => {
    const image = await buildExample(t, 'flask-load-balanced')
    const container = await startContainer(t, { image, httpPort: 8080 })
    const ports = new Set<string>()
    await until('both workers', async () => {
      const { port, forwarded } = await json(await container.http())
      if (port) ports.add(port)
      assert.deepEqual(Object.keys(forwarded).sort(), [
        ...['For', 'Host', 'Port', 'Proto', 'Server'].map(name => `X-Forwarded-${name}`),
        'X-Real-Ip',
      ])
      return ports.size === 2
    })
  })

  it('flask-reverse-proxy: an app that nobody else reaches, with the Host that it is to see', { timeout }, async t => {
    const { compose, origin } = await startProject(t, 'flask-reverse-proxy')
    const front = await origin(80)
    const answer = await until('the app', async () => {
      const found = await json(front, { host: 'shop.test' }).catch(() => ({}))
      return found.host ? found : undefined
    })
    assert.deepEqual(answer, { host: 'app.internal', forwarded_host: 'shop.test' })
    const moved = await ask(`${front}/old`, { headers: { host: 'shop.test' } })
    assert.deepEqual([moved.status, moved.headers.location], [302, '/'])
    const id = await compose('ps', '--quiet', 'app')
    assert.equal(await docker(['port', id]), '')
  })

  it('https-gunicorn: a mounted certificate, and one way in', { timeout }, async t => {
    const image = await buildExample(t, 'https-gunicorn')
    const certs = mkdtempSync(join(tmpdir(), 'monohull-certs-'))
    t.after(() => rmSync(certs, { recursive: true, force: true }))
    makeCertificate(certs, 'shop.test', { chain: 'fullchain.pem', key: 'privkey.pem' })
    const container = await startContainer(t, { image, args: ['--volume', `${certs}:/certs:ro`] })
    const answer = await ask(await container.https(), { headers: { host: 'shop.test' } })
    assert.equal(JSON.parse(answer.body).url, 'https://shop.test/')
    assert.equal(answer.certificate?.subject.CN, 'shop.test')
    assert.equal(answer.headers.server, 'nginx')
    const plain = await ask(`${await container.http()}/x?y`, { headers: { host: 'shop.test' } })
    const { location, server } = plain.headers
    assert.deepEqual([plain.status, location, server], [308, 'https://shop.test/x?y', 'nginx'])
    const { stdout } = await container.exec('cat', '/proc/net/tcp', '/proc/net/tcp6')
    const listening = stdout.split('\n').flatMap(line => / [0-9A-F]+:([0-9A-F]{4}) \S+:0000 0A /.exec(line)?.[1] ?? [])
    assert.deepEqual([...new Set(listening.map(port => Number.parseInt(port, 16)))].sort(), [443, 80])
    const missing = await startContainer(t, { image, waits: false })
    assert.equal(await missing.ended(), 78)
  })

  it('spa-websocket: the page everywhere, the API below its prefix, the WebSocket', { timeout }, async t => {
    const container = await startContainer(t, { image: await buildExample(t, 'spa-websocket') })
    const https = await container.https()
    const page = await ask(`${https}/deep/link`)
    assert.deepEqual([page.status, page.headers['cache-control']], [200, 'no-cache'])
    const asset = /\/assets\/main\.[0-9a-f]{8}\.js/.exec(page.body)?.[0]
    const script = await ask(https + asset)
    assert.equal(script.headers['cache-control'], 'public, max-age=31536000, immutable')
    assert.match(script.body, /new WebSocket/)
    assert.equal((await json(`${https}/api/who?x=1`)).url, '/who?x=1')
    const compressed = await fetchRaw(`${https}/api/who?length=1000`)
    assert.equal(compressed.encoding, 'gzip')
    assert.match(gunzipSync(compressed.body).toString(), /"url":"\/who\?length=1000"/)
    const encodingOf = async (length: number) => (await fetchRaw(`${https}/api/who?length=${length}`)).encoding
    assert.deepEqual([await encodingOf(255), await encodingOf(256)], [undefined, 'gzip'])
    const { stdout } = await container.exec('monohull', 'render')
    assert.match(
      stdout,
      /location \/api\/ \{\n(?: {4}.*\n)*? +include own\/app\/nginx\/api\.conf;\n[\s\S]*?\n {4}proxy_read_timeout 300000ms;/,
    )
    assert.match(stdout, /# nginx\.snippets\ninclude "own\/app\/nginx\/http\.d\/\*\.conf";/)
    const socket = new WebSocket(`${https.replace('https', 'wss')}/capture`, { rejectUnauthorized: false })
    t.after(() => socket.terminate())
    await once(socket, 'open')
    socket.send('hello')
    const [text] = await once(socket, 'message', { signal: AbortSignal.timeout(20_000) })
    assert.equal(String(text), 'captured hello')
    // the zone of http.d: 50 a second, and 100 at once
    const statuses = await statusesOfMany(https, '/api/who', 1000)
    assert.deepEqual([...new Set(statuses)].sort(), [200, 429])
  })

  it('node-ssr: pages from Node, assets from nginx', { timeout }, async t => {
    const container = await startContainer(t, { image: await buildExample(t, 'node-ssr') })
    const https = await container.https()
    assert.match((await ask(`${https}/any/page`)).body, /<h1>\/any\/page<\/h1>\n<p>rendered by app\.\d/)
    const style = await ask(`${https}/assets/style.css`)
    assert.match(style.body, /color: teal/)
    assert.equal(style.headers['cache-control'], 'public, max-age=3600')
    assert.match((await ask(`${https}/robots.txt`)).body, /^User-agent/)
    // what an image brings is in the container's own layer
    const { stdout } = await container.exec('monohull', 'render')
    assert.match(stdout, /location \/assets\/ \{[^}]*open_file_cache max/)
    assert.doesNotMatch(stdout, /gzip_static/)
  })
})

/** Statuses of requests that are sent all at the same time, over one connection. */
async function statusesOfMany(origin: string, path: string, count: number): Promise<number[]> {
  const session = connect(origin, { rejectUnauthorized: false })
  const ask = async () => {
    const stream = session.request({ ':path': path }).resume()
    const [headers] = await once(stream, 'response', { signal: AbortSignal.timeout(20_000) })
    return Number(headers[':status'])
  }
  const statuses = await Promise.all(Array.from({ length: count }, ask))
  session.close()
  return statuses
}

/** An answer as it came, to a client that takes gzip. */
async function fetchRaw(url: string): Promise<{ encoding: string | undefined; body: Buffer }> {
  const request = get(url, { rejectUnauthorized: false, agent: false, headers: { 'accept-encoding': 'gzip' } })
  const [response] = await once(request, 'response', { signal: AbortSignal.timeout(20_000) })
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk)
  return { encoding: response.headers['content-encoding'], body: Buffer.concat(chunks) }
}
