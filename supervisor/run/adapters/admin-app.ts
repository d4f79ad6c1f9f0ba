import express, { type Express, type Request, type Response } from 'express'
import { messageOf } from '../../base/errors.ts'
import type { Metric } from '../../base/metrics.ts'
import type { Outcome } from '../../base/outcome.ts'
import type { EffectiveKey } from '../../config/effective.ts'
import { maxWorkers } from '../../config/limits.ts'
import { createFeedRoute, createPageRoute, type PageRoutesDeps } from '../../dashboard/adapters/page-routes.ts'
import { sendErrors } from '../../dashboard/adapters/rejection.ts'
import { isSameOrigin } from '../../dashboard/same-origin.ts'
import type { RouteOperations } from '../../dynamic-routes/operations.ts'
import { withoutDynamicRoutes } from '../../dynamic-routes/reading.ts'
import type { MaintenanceSwitch } from '../../front/maintenance/shared.ts'
import type { Pause } from '../../front/pause/pause.ts'
import type { RequestCounts } from '../../front/requests/request-counts.ts'
import type { JobOperations } from '../../programs/jobs/operations.ts'
import type { Inspection } from '../../workers/inspection.ts'
import type { ClusterMember } from '../cluster.ts'
import type { Command } from '../command.ts'
import type { CommandClient } from '../command-queue.ts'
import type { RunRecord } from '../record.ts'
import type { Status } from '../status.ts'
import { hookHeader } from './admin-client.ts'
import { addRecordRoutes } from './admin-record.ts'
import { type HealthOptions, respondToHealth } from './health-responder.ts'
import { addJobRoutes } from './job-routes.ts'
import { respondWithMetrics } from './metrics-responder.ts'

/** About a million routes. */
const longestImport = '128mb'

/** Dependencies of the admin API. */
export interface AdminOptions {
  health: HealthOptions
  /** Reads what is not kept current, before a status. */
  refresh: () => Promise<void>
  status: () => Status
  metrics: () => Promise<Metric[]>
  describeConfig: () => Promise<EffectiveKey[]>
  /** Logs, events and deaths of the run. */
  record: RunRecord
  page: PageRoutesDeps
  /** Requests as nginx counts them; undefined if it does not. */
  requests: () => Promise<RequestCounts | undefined>
  renewCertificate: (name: string, mode: 'due' | 'forced') => Promise<Outcome>
  inspection: Inspection
  maintenance: MaintenanceSwitch
  /** Instances with the same shared state; undefined unless it is set. */
  cluster: (() => Promise<ClusterMember[]>) | undefined
  pause: Pick<Pause, 'begin' | 'end'>
  /** Undefined unless dynamic_routes is set. */
  dynamicRoutes: Pick<RouteOperations, 'list' | 'get' | 'value' | 'exportAll'> | undefined
  /** Undefined while there are no jobs. */
  jobs: () => JobOperations | undefined
  /** Settles when the command is done. */
  command: (command: Command, client: CommandClient) => Promise<Outcome>
}

/**
 * Admin API, for every user who may open its socket. `GET`: `/`, the status page, and its `/feed`; `/status`, `/cluster`, `/metrics`, `/config`, `/requests`, `/routes?match=PATTERN`,
 * `/routes?export=true`, `/routes/HOST?value=true`, `/jobs`, `/jobs/history?job=NAME`, `/logs`, `/events`, `/deaths`, `/deaths/ID`. `POST`:
 * `/reload?allow-missing=true`, `/restart`, `/restart/TARGET`, `/scale/N?app=NAME`, `/certificates/NAME/renew?force=true`,
 * `/inspect/WORKER?close=true`, `/profile/WORKER`, `/maintenance/on?allow=NETWORK&message=TEXT`, `/maintenance/off`, `/pause?for=DURATION`,
 * `/resume`, `/routes/HOST/set?target=TARGET`, `/routes/HOST/remove`, `/routes` with a body to import, `/purge`, `/purge/PREFIX`,
 * `/jobs/NAME/run?wait=true`, `/jobs/NAME/pause`, `/jobs/NAME/resume`, `/stop`. A command responds when it is done: 200 with a message, 409
 * with the reason for the failure, or 404 for the name of something that does not exist.
 */
export function createAdminApp({
  health,
  refresh,
  status,
  metrics,
  describeConfig,
  record,
  page,
  requests,
  command,
  renewCertificate,
  inspection,
  maintenance,
  cluster,
  pause,
  dynamicRoutes,
  jobs,
}: AdminOptions): Express {
  const app = express()
  app.disable('x-powered-by')
  app.use((request, response, next) => {
    const detail = () => ({ certificates: status().certificates })
    if (!respondToHealth({ ...health, detail }, request, response)) next()
  })
  app.use((request, response, next) => {
    // a page of another origin in the browser of somebody who forwards a port to the socket
    if (request.method === 'GET' || isSameOrigin(request.headers)) return next()
    response
      .status(403)
      .json({ ok: false, message: 'request rejected', reason: 'it comes from a page of another origin' })
  })
  app.use(createPageRoute(page), createFeedRoute(page))
  app.get('/status', async (_request, response) => {
    await refresh()
    response.json(status())
  })
  app.get('/config', async (_request, response) => {
    response.json({ keys: await describeConfig() })
  })
  app.get('/metrics', (request, response) => respondWithMetrics(metrics, request, response))
  addRecordRoutes(app, record)
  app.get('/requests', async (_request, response) => {
    const counts = await requests()
    if (counts) response.json(counts)
    else response.status(409).json({ ok: false, message: 'cannot read requests', reason: 'nginx does not count them' })
  })
  app.post('/certificates/:name/renew', async (request, response) => {
    const outcome = await renewCertificate(request.params.name, request.query.force === 'true' ? 'forced' : 'due')
    sendOutcome(response, outcome)
  })
  app.post('/inspect/:worker', async (request, response) => {
    const act = request.query.close === 'true' ? inspection.close : inspection.open
    const outcome = await act(request.params.worker)
    sendOutcome(response, outcome)
  })
  app.post('/profile/:worker', async (request, response) => {
    const lent = await inspection.lend(request.params.worker)
    if (!lent.ok) return sendOutcome(response, lent)
    const { address, pid, release } = lent
    // as long as the client is there, however it ends
    if (response.destroyed) return void release()
    response.once('close', () => void release())
    response.type('application/x-ndjson').write(`${JSON.stringify({ address, pid })}\n`)
  })
  app.get('/cluster', async (_request, response) => {
    const message = 'cannot list the instances'
    if (!cluster) return void response.status(409).json({ ok: false, message, reason: 'shared_state is not set' })
    try {
      response.json(await cluster())
    } catch (error) {
      response.status(409).json({ ok: false, message, reason: `the shared state is unavailable: ${messageOf(error)}` })
    }
  })
  // at once, whatever the queue waits for
  app.post('/maintenance/:state', async (request, response, next) => {
    const { state } = request.params
    if (state !== 'on' && state !== 'off') return next()
    const { allow, message } = request.query
    const options = { allow: textsOf(allow), message: textsOf(message)[0] }
    sendOutcome(response, await (state === 'on' ? maintenance.turnOn(options) : maintenance.turnOff()))
  })
  app.post('/pause', async (request, response) => {
    sendOutcome(response, await pause.begin(textsOf(request.query.for)[0]))
  })
  app.post('/resume', async (_request, response) => {
    sendOutcome(response, await pause.end())
  })
  app.get('/routes', async (request, response) => {
    const { match, export: isExport } = request.query
    await sendRoutes(response, routes =>
      isExport === 'true' ? routes.exportAll() : routes.list(typeof match === 'string' ? match : undefined),
    )
  })
  app.get('/routes/:host', async (request, response) => {
    const { host } = request.params
    await sendRoutes(response, async routes => {
      if (request.query.value === 'true') return { value: (await routes.value(host)) ?? null }
      const found = await routes.get(host)
      if (!found) throw new Error(`${host} has no route`)
      return found
    })
  })
  app.post('/routes', express.text({ type: () => true, limit: longestImport }), async (request, response) => {
    const text = typeof request.body === 'string' ? request.body : ''
    const outcome = await command({ type: 'importRoutes', text }, clientOf(request, response))
    sendOutcome(response, outcome)
  })
  app.post('/routes/:host/:action', async (request, response, next) => {
    const { host, action } = request.params
    const { target } = request.query
    if (action !== 'remove' && (action !== 'set' || typeof target !== 'string')) return next()
    const outcome = await command(
      action === 'set' ? { type: 'setRoute', host, target: `${target}` } : { type: 'removeRoute', host },
      clientOf(request, response),
    )
    sendOutcome(response, outcome)
  })

  addJobRoutes(app, jobs)

  async function sendRoutes(
    response: Response,
    read: (routes: NonNullable<typeof dynamicRoutes>) => Promise<object>,
  ): Promise<void> {
    const message = 'cannot read routes'
    if (!dynamicRoutes) return void response.status(409).json({ ok: false, message, reason: withoutDynamicRoutes })
    try {
      response.json(await read(dynamicRoutes))
    } catch (error) {
      response.status(409).json({ ok: false, message, reason: messageOf(error) })
    }
  }

  app.post('/:name{/:argument}', async (request, response, next) => {
    const { name = '', argument } = request.params
    const parsed = parseCommand(name, argument, request.query)
    if (!parsed) return next()
    if ('problem' in parsed)
      return void response.status(400).json({ ok: false, message: 'bad request', reason: parsed.problem })
    const outcome = await command(parsed, clientOf(request, response))
    sendOutcome(response, outcome)
  })
  app.use((request, response) => {
    response
      .status(404)
      .json({ ok: false, message: 'not found', reason: `${request.method} ${request.path} does not exist` })
  })
  app.use(sendErrors)
  return app
}

function sendOutcome(response: Response, outcome: Outcome): void {
  response.status(outcome.ok ? 200 : outcome.isUnknown ? 404 : 409).json(outcome)
}

function clientOf(request: Request, response: Response): CommandClient {
  return { hook: request.get(hookHeader), isGone: () => response.destroyed }
}

/** Values of a parameter of a query. */
function textsOf(value: Request['query'][string]): string[] {
  return [value].flat().filter(text => typeof text === 'string')
}

function parseCommand(
  name: string,
  argument: string | undefined,
  { app, 'allow-missing': allowsMissing }: Request['query'],
): Command | { problem: string } | undefined {
  if (name === 'restart') return argument === undefined ? { type: 'restart' } : { type: 'restart', target: argument }
  if (name === 'purge')
    return argument === undefined ? { type: 'purgeCache' } : { type: 'purgeCache', prefix: argument }
  if (name === 'scale') {
    const workers = Number(argument)
    return Number.isInteger(workers) && workers >= 1 && workers <= maxWorkers
      ? { type: 'scale', workers, ...(typeof app === 'string' ? { app } : {}) }
      : { problem: `scale needs a number of workers from 1 to ${maxWorkers}` }
  }
  if (argument !== undefined) return undefined
  if (name === 'reload') return { type: name, ...(allowsMissing === 'true' ? { allowsMissing: true } : {}) }
  return name === 'stop' ? { type: name } : undefined
}
