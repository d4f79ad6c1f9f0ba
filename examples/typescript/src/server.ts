import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { greet } from './greeting.ts'

function answer(request: IncomingMessage, response: ServerResponse): void {
  switch (request.url) {
    case '/slow':
      setTimeout(() => response.end('done'), 1000)
      return
    case '/echo':
      request.pipe(response)
      return
    default:
      response.setHeader('Content-Type', 'application/json')
      response.end(JSON.stringify(greet(String(request.headers['x-forwarded-proto']))))
  }
}

createServer(answer).listen(3000, () => console.log('listening'))
