// The app, where every POST keeps its event loop busy for 100 ms.
const server = require('./server.js')

server.prependListener('request', request => {
  if (request.method !== 'POST') return
  const end = performance.now() + 100
  while (performance.now() < end);
})
