const http = require('node:http')

// a visitor who comes by address sees which one the certificate is for
http
  .createServer((request, response) => {
    response.setHeader('content-type', 'text/plain')
    response.end(`served over ${request.headers['x-forwarded-proto']} at ${request.headers.host}\n`)
  })
  .listen(process.env.PORT || 3000)
