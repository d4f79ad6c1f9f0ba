// The app with a leak of 8 KB a request.
require('./closing.js')
const server = require('./server.js')

const kept = []
server.on('request', () => kept.push(Buffer.alloc(8192, 1)))
