import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { WebSocket, WebSocketServer } from 'ws'
import { systemClock } from '../../supervisor/base/adapters/system-clock.ts'
import { pause } from '../../supervisor/base/clock.ts'
import { childrenOf } from '../../supervisor/processes/adapters/procfs.ts'
import { defer, startMonohull, until } from './monohull.ts'

const deadlineMs = 20_000

/** A server elsewhere that echoes on WebSockets, and holds the answers for /held until they are released. */
async function startServer(t: TestContext) {
  const held: http.ServerResponse[] = []
  const server = { port: 0, isIll: false, held }
  const listener = http.createServer((request, response) => {
    if (request.url === '/held') return void held.push(response)
    response.statusCode = request.url === '/health' && server.isIll ? 500 : 200
    response.end('well')
  })
  const sockets = new WebSocketServer({ server: listener })
  sockets.on('connection', socket => socket.on('message', text => socket.send(String(text))))
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  server.port = (listener.address() as AddressInfo).port
  defer(t, () => {
    for (const socket of sockets.clients) socket.terminate()
    listener.close()
    listener.closeAllConnections()
  })
  return server
}

describe('a change of the servers of an upstream', () => {
  it('leaves alone what is under way to others: a slow answer, a WebSocket', async t => {
    const [a, b] = [await startServer(t), await startServer(t)]
    const monohull = startMonohull(t, {
      files: {
        'monohull.yaml': `https: off
upstreams:
  slow: { servers: ["127.0.0.1:${a.port}"] }
  other: { servers: ["127.0.0.1:${b.port}", "127.0.0.1:${a.port}"], health: { path: /health, interval: 100ms, fails: 1 } }
routes: [{ upstream: slow }, { path: /other, upstream: other }]
`,
      },
    })
    const { httpPort } = await monohull.serving()
    const signal = AbortSignal.timeout(deadlineMs)
    const socket = new WebSocket(`ws://127.0.0.1:${httpPort}/`)
    defer(t, () => socket.terminate())
    await once(socket, 'open', { signal })
    const answer = monohull.request({ path: '/held', method: 'POST' })
    const held = await until('the request to arrive', () => a.held[0])

    const workers = childrenOf(monohull.nginx())
    b.isIll = true
    await monohull.seen(/server fails its health checks upstream=other/)
    await until('another nginx worker', () => childrenOf(monohull.nginx()).some(pid => !workers.includes(pid)))
    // what has to pass is the time after which nginx would cut them off
    await pause(systemClock, 2500)
    socket.send('still')
    assert.equal(String((await once(socket, 'message', { signal }))[0]), 'still')
    held.end('late')
    assert.deepEqual(await answer.then(({ status, body }) => [status, body]), [200, 'late'])
  })
})
