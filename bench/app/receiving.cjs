// A receiver of OTLP/HTTP that takes everything and reads nothing of it: node receiving.cjs. Prints its port.
const http = require('node:http')

const server = http.createServer((request, response) => {
  request.resume()
  request.on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end('{}'))
})
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
