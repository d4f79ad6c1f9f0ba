import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as health from '../../../supervisor/run/health.ts'
import { factsOf, type Health } from './health-facts.ts'

const liveness = (of: Health) => health.liveness(factsOf(of))
const readiness = (of: Health) => health.readiness(factsOf(of))
const facts: Health = { isNginxAlive: true, isDraining: false, apps: [{ name: 'app', ready: 2, total: 2 }] }

describe('run/health: liveness', () => {
  it('depends on nginx and not on workers', () => {
    assert.deepEqual(liveness({ ...facts, apps: [{ name: 'app', ready: 0, total: 2 }], isDraining: true }), {
      status: 200,
      body: { status: 'ok' },
    })
    assert.deepEqual(liveness({ ...facts, isNginxAlive: false }), {
      status: 503,
      body: { status: 'failing', reason: 'nginx is not running' },
    })
  })
})

describe('run/health: readiness', () => {
  it('needs one ready worker of each app', () => {
    const api = { name: 'api', ready: 0, total: 3 }
    const apps = [...facts.apps, api]
    assert.deepEqual(readiness({ ...facts, apps }), {
      status: 503,
      body: { status: 'not ready', reason: 'no worker of api is ready', workers: { ready: 2, total: 5 } },
    })
    assert.equal(readiness({ ...facts, apps: [...facts.apps, { ...api, ready: 1 }] }).status, 200)
  })

  it('needs one ready worker', () => {
    assert.deepEqual(readiness({ ...facts, apps: [{ name: 'app', ready: 1, total: 2 }] }), {
      status: 200,
      body: { status: 'ready', workers: { ready: 1, total: 2 } },
    })
  })

  it('needs no worker for static files', () => {
    assert.deepEqual(readiness({ ...facts, apps: [] }), { status: 200, body: { status: 'ready' } })
  })

  const workers = { ready: 2, total: 2 }
  const unready: [string, Partial<Health>, Record<string, unknown>][] = [
    ['while draining', { isDraining: true }, { status: 'draining', workers }],
    ['while draining without nginx', { isDraining: true, isNginxAlive: false }, { status: 'draining', workers }],
    ['without nginx', { isNginxAlive: false }, { status: 'not ready', reason: 'nginx is not running', workers }],
    [
      'without a ready worker',
      { apps: [{ name: 'app', ready: 0, total: 2 }] },
      { status: 'not ready', reason: 'no worker is ready', workers: { ready: 0, total: 2 } },
    ],
  ]
  for (const [when, change, body] of unready) {
    it(`is off ${when}`, () => assert.deepEqual(readiness({ ...facts, ...change }), { status: 503, body }))
  }
})
