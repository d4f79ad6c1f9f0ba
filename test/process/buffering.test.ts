import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { defer, startMonohull, until } from './monohull.ts'

const deadlineMs = 20_000
/** More than all sockets on the way hold. */
const long = Buffer.alloc(32 * 1024 * 1024, 'x')

/**
 * Routes with each value of buffering to a server that ends its answers by closing the connection, as HTTP/1.0 has it: with `/long` a
 * long one, else a piece, and after `release` the rest.
 */
async function startPieces(t: TestContext) {
  let release = () => {}
  let isSent = false
  const server = createServer(socket => {
    socket.on('error', () => {})
    socket.once('data', data => {
      const [, path = ''] = String(data).split(' ')
      socket.write(`HTTP/1.0 200 OK\r\n${path.endsWith('/asked') ? 'X-Accel-Buffering: no\r\n' : ''}\r\n`)
      if (path.endsWith('/long')) {
        socket.end(long, () => {
          isSent = true
        })
      } else {
        socket.write('piece')
        release = () => socket.end('rest')
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  defer(t, () => server.close())
  const { port } = server.address() as AddressInfo
  const monohull = startMonohull(t, {
    files: {
      'monohull.yaml': `https: off
upstreams: { old: { servers: ["127.0.0.1:${port}"] } }
routes: [{ upstream: old }, { path: /off, upstream: old, buffering: off }, { path: /on, upstream: old, buffering: on }]
`,
    },
  })
  const { httpPort } = await monohull.serving()
  return {
    async get(path: string): Promise<http.IncomingMessage> {
      const request = http.get({ host: '127.0.0.1', port: httpPort, path, agent: false })
      defer(t, () => request.destroy())
      const [response] = await once(request, 'response', { signal: AbortSignal.timeout(deadlineMs) })
      return response
    },
    release: () => release(),
    isSent: () => isSent,
  }
}

describe('an answer', () => {
  for (const [path, what] of [
    ['/', 'the default'],
    ['/off', 'buffering: off'],
    ['/asked', 'X-Accel-Buffering: no'],
  ] as const) {
    it(`goes on piece by piece with ${what}`, async t => {
      const { get, release } = await startPieces(t)
      const response = await get(path)
      const pieces = response.setEncoding('utf8').iterator()
      assert.equal((await pieces.next()).value, 'piece')
      release()
      assert.equal((await pieces.next()).value, 'rest')
      assert.equal(response.headers['x-accel-buffering'], undefined)
    })
  }

  it('is taken from the server at once with buffering: on, however slowly the client reads', async t => {
    const { get, isSent } = await startPieces(t)
    // nobody reads it
    const response = await get('/on/long')
    await until('the server to be done', isSent, { deadlineMs })
    let length = 0
    for await (const chunk of response) length += chunk.length
    assert.equal(length, long.length)
  })
})
