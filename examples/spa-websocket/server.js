import { createServer } from 'node:http'
import { WebSocketServer } from 'ws'

const server = createServer((request, response) => {
  response.setHeader('content-type', 'application/json')
  const filler = request.url === '/short' ? '' : 'x'.repeat(300)
  response.end(JSON.stringify({ url: request.url, worker: process.env.MONOHULL_WORKER, filler }))
})
new WebSocketServer({ server, path: '/capture' }).on('connection', socket => {
  socket.on('message', text => socket.send(`captured ${text}`))
})
server.listen(3000)
