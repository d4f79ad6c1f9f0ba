import express, { type Express } from 'express'
import { answerHealth, type HealthOptions } from './health.ts'

export interface AdminOptions {
  health: HealthOptions
  /** What `GET /status` tells. */
  status: () => Record<string, unknown>
}

/** The admin API, for whoever may open its socket. */
export function createAdminApp({ health, status }: AdminOptions): Express {
  const app = express()
  app.disable('x-powered-by')
  app.use((request, response, next) => {
    if (!answerHealth(health, request, response)) next()
  })
  app.get('/status', (_request, response) => {
    response.json(status())
  })
  app.use((request, response) => {
    response.status(404).json({ error: `no ${request.method} ${request.path} here`, fix: 'GET /status' })
  })
  return app
}
