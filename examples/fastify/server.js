import { setTimeout as pause } from 'node:timers/promises'
import Fastify from 'fastify'

const app = Fastify({ logger: true, trustProxy: true })

app.get('/', request => ({
  app: 'fastify',
  worker: process.env.MONOHULL_WORKER,
  protocol: request.protocol,
  client: request.ip,
}))

app.get('/slow', async () => {
  await pause(1000)
  return 'done'
})

app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body))
app.post('/echo', request => request.body)

// runs after the drain
process.on('SIGTERM', async () => {
  await app.close()
  process.exit(0)
})

await app.listen({ port: 3000, host: '0.0.0.0' })
