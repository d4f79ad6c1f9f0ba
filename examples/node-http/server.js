// A plain server that uses PORT and HOSTNAME, like the server.js of a Next.js standalone build.
const http = require('node:http')

const port = Number.parseInt(process.env.PORT, 10) || 3000
const hostname = process.env.HOSTNAME || '0.0.0.0'

const server = http.createServer((request, response) => {
  if (request.url === '/slow') return setTimeout(() => response.end('done'), 1000)
  if (request.url === '/echo') return request.pipe(response)
  response.setHeader('Content-Type', 'application/json')
  response.end(
    JSON.stringify({
      app: 'node-http',
      worker: process.env.MONOHULL_WORKER,
      protocol: request.headers['x-forwarded-proto'],
      client: request.headers['x-real-ip'],
    }),
  )
})

server.listen(port, hostname, () => console.log(`ready on http://${hostname}:${port}`))
