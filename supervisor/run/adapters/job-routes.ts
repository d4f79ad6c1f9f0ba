import type { Express } from 'express'
import { messageOf } from '../../base/errors.ts'
import type { JobOperations, JobOutcome } from '../../programs/jobs/operations.ts'

/** Adds the routes of jobs to the admin API. `jobs` is undefined while there are none. */
export function addJobRoutes(app: Express, jobs: () => JobOperations | undefined): void {
  app.get('/jobs', (_request, response) => {
    response.json(jobs()?.list() ?? [])
  })
  app.get('/jobs/history', async (request, response) => {
    const { job } = request.query
    try {
      response.json((await jobs()?.history(typeof job === 'string' ? job : undefined)) ?? [])
    } catch (error) {
      response.status(409).json({ ok: false, message: 'cannot read the history', reason: messageOf(error) })
    }
  })
  app.post('/jobs/:name/:action', async (request, response, next) => {
    const { name, action } = request.params
    if (action !== 'run' && action !== 'pause' && action !== 'resume') return next()
    const operations = jobs()
    const outcome: JobOutcome = !operations
      ? { ok: false, message: 'command rejected', reason: 'no jobs are configured', isUnknown: true }
      : action === 'run'
        ? await operations.run(name, { waits: request.query.wait === 'true' })
        : await operations[action](name)
    response.status(outcome.ok ? 200 : outcome.isUnknown ? 404 : 409).json(outcome)
  })
}
