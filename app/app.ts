import express, { type ErrorRequestHandler, type Express } from 'express'
import { describeExchange, type WorkerProcess } from './exchange.ts'
import { contentSecurityPolicy, renderPage } from './page.ts'

const headersOfAllAnswers = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': contentSecurityPolicy,
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
}

/** Example app: a page about the worker that handles the request, the same as JSON, and an echo. */
export function createApp(worker: WorkerProcess): Express {
  let requests = 0
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.use((_request, response, next) => {
    requests += 1
    response.set(headersOfAllAnswers)
    next()
  })
  app.get('/', (request, response) => {
    response.send(renderPage(describeExchange(worker, requests, request)))
  })
  app.get('/api/worker', (request, response) => {
    response.json(describeExchange(worker, requests, request))
  })
  app.post('/echo', express.raw({ limit: '1mb', type: () => true }), (request, response) => {
    response.json({ bytes: Buffer.isBuffer(request.body) ? request.body.length : 0 })
  })
  app.use((request, response) => {
    response.status(404).type('text/plain').send(`Not found: ${request.method} ${request.path}\n`)
  })
  app.use(answerError)
  return app
}

/** Error handler that responds in plain text without internals; Express's own response shows the stack outside production. */
const answerError: ErrorRequestHandler = (error: { status?: unknown; message?: unknown }, _request, response, next) => {
  if (response.headersSent) return next(error)
  const isClientError = typeof error.status === 'number' && error.status >= 400 && error.status < 500
  if (!isClientError) console.error(error)
  response
    .status(isClientError ? Number(error.status) : 500)
    .type('text/plain')
    .send(isClientError ? `${error.message}\n` : 'Internal error\n')
}
