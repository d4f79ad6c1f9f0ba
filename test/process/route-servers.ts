import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { type WebSocket, WebSocketServer } from 'ws'
import { defer } from './monohull.ts'

/** A server elsewhere, as dynamic routes lead to it. */
export interface RouteServer {
  name: string
  target: string
  /** What it got so far. */
  requests: http.IncomingMessage[]
  connections: number
  /** Stops, and refuses connections. */
  stop(): Promise<void>
  /** Listens at the same address again. */
  start(): Promise<void>
}

/**
 * Starts a server that says its name. `/events` is a stream, `/large` has a head of 40 kB, `/drop` gets no response, `/slow` none in time,
 * `/502` one that is an error; a WebSocket echoes.
 */
export async function startRouteServer(t: TestContext, name: string): Promise<RouteServer> {
  let server: http.Server
  let port = 0
  const sockets = new WebSocketServer({ noServer: true })
  sockets.on('connection', (socket: WebSocket) => socket.on('message', text => socket.send(`${name} ${text}`)))

  function respond(request: http.IncomingMessage, response: http.ServerResponse): void {
    found.requests.push(request)
    request.resume()
    if (request.url === '/drop') return void request.socket.destroy()
    if (request.url === '/slow') return
    if (request.url === '/large') response.setHeader('x-large', 'x'.repeat(40_000))
    if (request.url === '/events') {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      return void response.write(`data: ${name}\n\n`)
    }
    request.on('end', () => {
      response.writeHead(request.url === '/502' ? 502 : 200, { 'set-cookie': 'own=1' })
      response.end(JSON.stringify({ name, authorization: request.headers.authorization }))
    })
  }

  const found: RouteServer = {
    name,
    target: '',
    requests: [],
    connections: 0,
    async start() {
      server = http.createServer(respond)
      server.on('connection', () => found.connections++)
      server.on('upgrade', (request, socket, head) =>
        sockets.handleUpgrade(request, socket, head, client => sockets.emit('connection', client)),
      )
      server.listen(port, '127.0.0.1')
      await once(server, 'listening')
      port = (server.address() as AddressInfo).port
      found.target = `127.0.0.1:${port}`
    },
    async stop() {
      server.closeAllConnections()
      for (const client of sockets.clients) client.terminate()
      await new Promise(done => server.close(done))
    },
  }
  await found.start()
  defer(t, () => found.stop())
  return found
}
