import { createServer } from 'node:http'
import { WebSocketServer } from 'ws'

const server = createServer((request, response) => {
  const length = Number(new URL(request.url, 'http://localhost').searchParams.get('length'))
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify({ url: request.url, worker: process.env.MONOHULL_WORKER }).padEnd(length))
})
new WebSocketServer({ server, path: '/capture' }).on('connection', socket => {
  socket.on('message', text => socket.send(`captured ${text}`))
})
server.listen(3000)
