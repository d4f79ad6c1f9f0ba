// A server that tells its name: node backend.js NAME PORT
const { createServer } = require('node:http')

const [, , name, port] = process.argv
createServer((request, response) => {
  response.setHeader('content-type', 'application/json')
  response.end(`${JSON.stringify({ backend: name, host: request.headers.host })}\n`)
}).listen(Number(port))
