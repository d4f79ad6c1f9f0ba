// The app that drains by itself and loses no POST: it stops listening, answers what still comes with `Connection: close`,
// and leaves idle connections to nginx, which closes them after 4 s, long before this app would.
const net = require('node:net')
const server = require('./server.js')

server.keepAliveTimeout = 65_000

function drain() {
  server.prependListener('request', (_request, response) => {
    response.shouldKeepAlive = false
  })
  net.Server.prototype.close.call(server, () => process.exit(0))
}

for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, drain)
