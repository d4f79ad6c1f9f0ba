import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import request from 'supertest'
import { createAdminApp } from '../../supervisor/admin/app.ts'
import type { HealthFacts } from '../../supervisor/domain/health.ts'

const healthy: HealthFacts = { isNginxAlive: true, isDraining: false, readyWorkers: 2, totalWorkers: 2 }

function app(change: Partial<HealthFacts> = {}, paths = { livePath: '/healthz', readyPath: '/readyz' }) {
  return createAdminApp({
    health: { ...paths, facts: () => ({ ...healthy, ...change }) },
    status: () => ({ pid: 42, workers: [{ slot: 1, state: 'serving' }] }),
  })
}

describe('admin/app', () => {
  it('answers /healthz while nginx lives', async () => {
    const response = await request(app({ readyWorkers: 0 }))
      .get('/healthz')
      .expect(200, { status: 'ok' })
    assert.equal(response.headers['content-type'], 'application/json; charset=utf-8')
    assert.equal(response.headers['cache-control'], 'no-store')
  })

  it('fails /healthz without nginx', async () => {
    await request(app({ isNginxAlive: false }))
      .get('/healthz')
      .expect(503, { status: 'failing', reason: 'nginx is not running' })
  })

  it('answers /readyz while a worker is ready', async () => {
    await request(app())
      .get('/readyz')
      .expect(200, { status: 'ready', workers: { ready: 2, total: 2 } })
  })

  it('fails /readyz without a ready worker, and while draining', async () => {
    const workers = { ready: 0, total: 2 }
    await request(app({ readyWorkers: 0 }))
      .get('/readyz')
      .expect(503, { status: 'not ready', reason: 'no worker is ready', workers })
    await request(app({ isDraining: true, readyWorkers: 0 }))
      .get('/readyz')
      .expect(503, { status: 'draining', workers })
  })

  it('leaves the query aside, and sends HEAD no body', async () => {
    await request(app()).get('/readyz?verbose=1').expect(200)
    const response = await request(app({ isNginxAlive: false }))
      .head('/healthz')
      .expect(503)
    assert.equal(response.text, undefined)
  })

  it('asks for the facts each time', async () => {
    const facts = { ...healthy }
    const server = createAdminApp({
      health: { livePath: '/healthz', readyPath: '/readyz', facts: () => facts },
      status: () => ({}),
    })
    await request(server).get('/readyz').expect(200)
    facts.isDraining = true
    await request(server).get('/readyz').expect(503)
  })

  it('serves health at the configured paths only', async () => {
    const moved = app({}, { livePath: '/up', readyPath: 'off' })
    await request(moved).get('/up').expect(200)
    for (const path of ['/healthz', '/readyz', '/off']) await request(moved).get(path).expect(404)
  })

  it('tells its status', async () => {
    const response = await request(app()).get('/status').expect(200)
    assert.deepEqual(response.body, { pid: 42, workers: [{ slot: 1, state: 'serving' }] })
  })

  it('answers anything else with 404 in JSON, and what there is', async () => {
    await request(app())
      .post('/nowhere')
      .send({ any: 'thing' })
      .expect('content-type', /json/)
      .expect(404, { error: 'no POST /nowhere here', fix: 'GET /status' })
  })

  it('does not say what it is made of', async () => {
    const response = await request(app()).get('/status')
    assert.equal(response.headers['x-powered-by'], undefined)
  })
})
