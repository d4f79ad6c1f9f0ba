// before a release: half a minute of a core; test/process/buffering.test.ts shows what the configuration does
import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import https from 'node:https'
import net from 'node:net'
import { before, describe, it } from 'node:test'
import { ask } from './ask.ts'
import { type Container, ownerOfSuite, startContainer, until } from './docker.ts'

/** What docs/guide/docker.md recommends, with the memory limit of a small container. */
const hardened = [
  ...['--read-only', '--tmpfs', '/run', '--tmpfs', '/tmp', '--user', '12345', '--cap-drop', 'ALL'],
  ...['--security-opt', 'no-new-privileges', '--env', 'MONOHULL_HTTP_PORT=8080', '--env', 'MONOHULL_HTTPS_PORT=8443'],
  ...['--env', 'MONOHULL_HTTPS=on', '--memory', '256m', '--memory-swap', '256m'],
]
const ports = { httpPort: 8080, httpsPort: 8443 }
const megabyte = 1 << 20

/** Sends as many megabytes as the path says, as far as they are read; /sent says how much of it. Reads bodies to their end. */
const app = `let sent = 0
const piece = Buffer.alloc(1 << 20)
require('node:http').createServer(async (request, response) => {
  const megabytes = Number(request.url.slice(1))
  if (request.method === 'POST') { let length = 0; for await (const data of request) length += data.length; return response.end(String(length)) }
  if (!megabytes) return response.end(String(sent))
  response.writeHead(200, { 'content-length': megabytes << 20 })
  for (let count = 0; count < megabytes && !response.destroyed; count++, sent += piece.length)
    if (!response.write(piece)) await new Promise(go => response.once('drain', go).once('close', go))
  response.end()
}).listen(3000)`

describe('a hardened container with 256 MB of memory', () => {
  const suite = ownerOfSuite()
  const start = (more: readonly string[] = []) =>
    startContainer(suite, {
      // a later --tmpfs of the same directory counts
      args: [...hardened, '--env', 'MONOHULL_WORKERS=1', ...more],
      command: ['monohull', 'run', 'node', '-e', app],
      ...ports,
    })
  let container: Container
  before(async () => {
    container = await start()
  })

  it('survives clients that do not read large responses', async t => {
    const origin = await container.https()
    const readers = 6
    for (let count = 0; count < readers; count += 1) {
      const request = https.get(`${origin}/600`, { agent: false, rejectUnauthorized: false })
      t.after(() => request.destroy())
      request.on('error', () => {})
      await once(request, 'response', { signal: AbortSignal.timeout(30_000) })
    }
    let last = -1
    const sent = await until('the app to wait for its readers', async () => {
      const now = Number((await ask(`${origin}/`)).body)
      const isStill = now === last
      last = now
      return isStill && now > 0 && now
    })
    // what the sockets on the way hold
    assert.ok(sent < readers * 50 * megabyte, `${sent} bytes for readers that read nothing`)
    await expectWell(container)
  })

  it('survives uploads within the limits, refuses those that do not fit, and has room again after them', async t => {
    const origin = await container.http()
    const { hostname, port } = new URL(origin)
    const sockets = Array.from({ length: 40 }, () => net.connect(Number(port), hostname))
    t.after(() => sockets.forEach(socket => void socket.destroy()))
    const responses = sockets.map(socket => holdUpload(socket, 9 * megabyte))
    const refused = () => responses.flatMap(response => response() ?? [])
    // seven fit into a quarter of the memory
    await until('the others to be refused', async () => refused().length >= 30)
    assert.deepEqual([...new Set(refused())], ['HTTP/1.1 503'])
    assert.ok(refused().length < sockets.length, 'none is held')
    await expectWell(container)
    assert.match(await container.logs(), /cannot store a request body of 9437184 bytes: .*temp_dir/)
    assert.equal(await post(origin, 8000), 200)
    for (const socket of sockets) socket.destroy()
    await until('room', async () => (await post(origin, 9 * megabyte)) === 200)
    await expectWell(container)
  })

  it('says at once what can never fit into a small file system, and sends a larger response whole', async () => {
    const small = await start(['--tmpfs', '/run:size=64m', '--env', 'MONOHULL_MAX_BODY_SIZE=2g'])
    const origin = await small.http()
    const headers = { accept: 'application/json', 'content-length': `${100 * megabyte}` }
    const { status, body } = await ask(`${origin}/`, { method: 'POST', headers })
    assert.deepEqual([status, JSON.parse(body).limit, JSON.parse(body).key], [413, '32m', 'temp_dir'])
    assert.equal(await post(origin, 20 * megabyte), 200)
    const download = http.get(`${origin}/100`, { agent: false })
    const [response] = await once(download, 'response', { signal: AbortSignal.timeout(30_000) })
    let length = 0
    for await (const data of response) length += data.length
    assert.equal(length, 100 * megabyte)
    await expectWell(small)
  })
})

/** Sends a body but for its last kilobyte. Gives the beginning of the response, `closed` without one; undefined while it is held. */
function holdUpload(socket: net.Socket, length: number): () => string | undefined {
  let response: string | undefined
  socket.on('error', () => {
    response ??= 'closed'
  })
  socket.once('data', data => {
    response = String(data).slice(0, 12)
  })
  socket.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n`)
  socket.write(Buffer.alloc(length - 1024))
  return () => response
}

function post(origin: string, length: number): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const request = http.request(`${origin}/`, { method: 'POST', agent: false, timeout: 20_000 }, response => {
      response.resume()
      resolve(response.statusCode)
    })
    request.on('timeout', () => request.destroy(new Error('no response')))
    request.on('error', reject)
    request.end(Buffer.alloc(length))
  })
}

async function expectWell(container: Container): Promise<void> {
  assert.equal(await container.inspect('{{.State.Running}} {{.State.OOMKilled}}'), 'true false')
  assert.equal((await ask(`${await container.http()}/`)).status, 200)
  assert.equal((await ask(`${await container.http()}/healthz`)).status, 200)
  const health = await container.exec('node', '/opt/monohull/dist/healthcheck.cjs')
  assert.equal(health.code, 0, health.stdout)
}
