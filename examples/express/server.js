import { setTimeout as pause } from 'node:timers/promises'
import express from 'express'

const app = express()
app.set('trust proxy', true) // only nginx can connect

app.get('/', (request, response) => {
  response.json({ app: 'express', worker: process.env.MONOHULL_WORKER, protocol: request.protocol, client: request.ip })
})

app.get('/slow', async (_request, response) => {
  await pause(1000)
  response.send('done')
})

app.post('/echo', express.text({ type: () => true, limit: '1mb' }), (request, response) => {
  response.send(request.body)
})

app.listen(3000, () => console.log('listening'))
