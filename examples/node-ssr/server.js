const { createServer } = require('node:http')

createServer((request, response) => {
  const { pathname } = new URL(request.url, 'http://localhost')
  response.setHeader('content-type', 'text/html; charset=utf-8')
  response.end(`<!doctype html>
<link rel="stylesheet" href="/assets/style.css">
<h1>${pathname.replace(/[&<]/g, '')}</h1>
<p>rendered by ${process.env.MONOHULL_WORKER}</p>
`)
}).listen(3000)
