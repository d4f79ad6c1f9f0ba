import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import request from 'supertest'
import type { Outcome } from '../../../supervisor/base/outcome.ts'
import { processMetrics, workerMetrics } from '../../../supervisor/processes/program-metrics.ts'
import { type AdminOptions, createAdminApp } from '../../../supervisor/run/adapters/admin-app.ts'
import type { Command } from '../../../supervisor/run/command.ts'
import { formatStatus, runMetrics, type Status } from '../../../supervisor/run/status.ts'
import { factsOf, type Health } from './health-facts.ts'
import { runRecord } from './run-record.ts'

const healthy: Health = { isNginxAlive: true, isDraining: false, apps: [{ name: 'app', ready: 2, total: 2 }] }

const lastDeath = {
  at: '2026-11-30T00:12:03.000Z',
  exit: 'SIGKILL',
  reason: 'hung: for 30 s',
  line: 'Error: boom',
  requests: ['POST /orders 5e1a'],
}
const status: Status = {
  pid: 42,
  state: 'ready',
  uptimeSeconds: 7,
  http: ['127.0.0.1:80'],
  https: [],
  workers: [
    {
      name: 'app.1',
      slot: 1,
      state: 'serving',
      pid: 43,
      uptimeSeconds: 7,
      restarts: 3,
      crashes: 2,
      replacements: 1,
      lastDeath,
      isInRotation: true,
    },
  ],
  warnings: ['the certificate for a.test expires in 3 days: /certs/a.crt'],
  scaled: [{ app: 'app', workers: 1, min: 1, max: 4 }],
  upstreams: [],
  processes: [
    { name: 'queue.1', state: 'running', pid: 44, uptimeSeconds: 5, restarts: 2, crashes: 2, replacements: 0 },
  ],
}

/** Does what it is told, but for `scale/9`. */
function commands(command: Command): Outcome {
  if (command.type === 'scale' && command.workers === 9)
    return { ok: false, message: 'scaling abandoned', reason: 'too many' }
  return { ok: true, message: JSON.stringify(command) }
}

async function renewCertificate(name: string, mode: string): Promise<Outcome> {
  return { ok: name !== 'bad.test', message: `${name} ${mode}`, reason: 'no' }
}

function app(
  change: Partial<Health> = {},
  paths = { livePath: '/healthz', readyPath: '/readyz' },
  dynamicRoutes?: AdminOptions['dynamicRoutes'],
) {
  return createAdminApp({
    health: { ...paths, facts: () => factsOf({ ...healthy, ...change }) },
    refresh: async () => {},
    status: () => status,
    page: { home: '', feed: () => Promise.reject(new Error('no feed')) },
    metrics: async () => [...runMetrics(status), ...workerMetrics(status.workers), ...processMetrics(status.processes)],
    record: runRecord().record,
    requests: async () => undefined,
    describeConfig: async () => [],
    command: async command => commands(command),
    renewCertificate,
    inspection: {
      open: async () => ({ ok: true, message: 'opened' }),
      close: async () => ({ ok: true, message: 'closed' }),
      lend: async () => assert.fail(),
    },
    dynamicRoutes,
    maintenance,
    cluster: undefined,
    pause,
    jobs: () => undefined,
  })
}

/** Repeats what it was asked, and refuses a message `no`. */
const maintenance: AdminOptions['maintenance'] = {
  turnOn: options =>
    options.message === 'no'
      ? { ok: false, message: 'no', reason: 'no' }
      : { ok: true, message: JSON.stringify(options) },
  turnOff: () => ({ ok: true, message: 'off' }),
}

/** Repeats the duration. */
const pause: AdminOptions['pause'] = {
  begin: async duration =>
    duration === 'no' ? { ok: false, message: 'no', reason: 'no' } : { ok: true, message: `for ${duration}` },
  end: async () => ({ ok: true, message: 'resumed' }),
}

describe('run/adapters/admin-app', () => {
  it('pauses and resumes', async () => {
    await request(app()).post('/pause?for=5s').expect(200, { ok: true, message: 'for 5s' })
    await request(app()).post('/pause').expect(200, { ok: true, message: 'for undefined' })
    await request(app()).post('/pause?for=no').expect(409)
    await request(app()).post('/resume').expect(200, { ok: true, message: 'resumed' })
  })

  it('turns maintenance on and off', async () => {
    const on = await request(app()).post('/maintenance/on?allow=10.0.0.0/8&allow=::1&message=at%20nine').expect(200)
    assert.deepEqual(JSON.parse(on.body.message), { allow: ['10.0.0.0/8', '::1'], message: 'at nine' })
    const plain = await request(app()).post('/maintenance/on').expect(200)
    assert.deepEqual(JSON.parse(plain.body.message), { allow: [] })
    await request(app()).post('/maintenance/on?message=no').expect(409)
    await request(app()).post('/maintenance/off').expect(200, { ok: true, message: 'off' })
    await request(app()).post('/maintenance/perhaps').expect(404)
  })

  it('returns 200 for /healthz while nginx is alive', async () => {
    const response = await request(app({ apps: [{ name: 'app', ready: 0, total: 2 }] }))
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

  it('returns 200 for /readyz while a worker is ready', async () => {
    await request(app())
      .get('/readyz')
      .expect(200, { status: 'ready', workers: { ready: 2, total: 2 } })
  })

  it('fails /readyz without a ready worker, and while draining', async () => {
    const workers = { ready: 0, total: 2 }
    await request(app({ apps: [{ name: 'app', ready: 0, total: 2 }] }))
      .get('/readyz')
      .expect(503, { status: 'not ready', reason: 'no worker is ready', workers })
    await request(app({ isDraining: true, apps: [{ name: 'app', ready: 0, total: 2 }] }))
      .get('/readyz')
      .expect(503, { status: 'draining', workers })
  })

  it('ignores the query, and sends no body for HEAD', async () => {
    await request(app()).get('/readyz?verbose=1').expect(200)
    const response = await request(app({ isNginxAlive: false }))
      .head('/healthz')
      .expect(503)
    assert.equal(response.text, undefined)
  })

  it('reads the facts for each request', async () => {
    const facts = { ...healthy }
    const server = createAdminApp({
      health: { livePath: '/healthz', readyPath: '/readyz', facts: () => factsOf(facts) },
      refresh: async () => {},
      status: () => status,
      page: { home: '', feed: () => Promise.reject(new Error('no feed')) },
      metrics: async () => [],
      record: runRecord().record,
      requests: async () => undefined,
      describeConfig: async () => [],
      command: async command => commands(command),
      renewCertificate,
      inspection: {
        open: async () => ({ ok: true, message: 'opened' }),
        close: async () => ({ ok: true, message: 'closed' }),
        lend: async () => assert.fail(),
      },
      maintenance,
      cluster: undefined,
      pause,
      dynamicRoutes: undefined,
      jobs: () => undefined,
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

  it('returns its status', async () => {
    const response = await request(app()).get('/status').expect(200)
    assert.deepEqual(response.body, status)
  })

  it('returns metrics in the Prometheus format', async () => {
    const response = await request(app()).get('/metrics').expect(200)
    assert.equal(response.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8')
    assert.match(response.text, /^monohull_ready 1$/m)
  })

  it('returns 404 in JSON for any other request', async () => {
    await request(app())
      .post('/nowhere')
      .send({ any: 'thing' })
      .expect('content-type', /json/)
      .expect(404, { ok: false, message: 'not found', reason: 'POST /nowhere does not exist' })
  })

  it('does not reveal Express', async () => {
    const response = await request(app()).get('/status')
    assert.equal(response.headers['x-powered-by'], undefined)
  })
})

describe('run/adapters/admin-app: commands', () => {
  const cases: [string, Command][] = [
    ['/reload', { type: 'reload' }],
    ['/reload?allow-missing=true', { type: 'reload', allowsMissing: true }],
    ['/restart', { type: 'restart' }],
    ['/restart/app.2', { type: 'restart', target: 'app.2' }],
    ['/scale/4', { type: 'scale', workers: 4 }],
    ['/scale/4?app=api', { type: 'scale', workers: 4, app: 'api' }],
    ['/stop', { type: 'stop' }],
  ]
  for (const [path, command] of cases) {
    it(`responds to POST ${path} when it is done`, async () => {
      await request(app())
        .post(path)
        .expect(200, { ok: true, message: JSON.stringify(command) })
    })
  }

  it('returns 409 with the reason if the command failed', async () => {
    await request(app()).post('/scale/9').expect(409, { ok: false, message: 'scaling abandoned', reason: 'too many' })
  })

  it('renews a certificate if it is due, or with force', async () => {
    const post = (path: string) => request(app()).post(`/certificates/${path}`)
    assert.equal((await post('a.test/renew').expect(200)).body.message, 'a.test due')
    assert.equal((await post('a.test/renew?force=true').expect(200)).body.message, 'a.test forced')
    await post('bad.test/renew').expect(409)
    await post('a.test/other').expect(404)
  })

  it('rejects invalid numbers of workers and unknown commands', async () => {
    for (const path of ['/scale/0', '/scale/four', '/scale/1.5', '/scale']) await request(app()).post(path).expect(400)
    for (const path of ['/explode', '/reload/now', '/stop/now']) await request(app()).post(path).expect(404)
    await request(app()).get('/reload').expect(404)
  })
})

describe('run/status', () => {
  it('is a text table', () => {
    assert.equal(
      formatStatus(status),
      [
        'monohull ready, pid 42, up 7 s',
        'http  127.0.0.1:80',
        'https -',
        'app scales by load from 1 to 4 workers, now 1',
        'NAME     STATE    PID  UP   CRASHES  REPLACED',
        'app.1    serving  43   7 s  2        1',
        'queue.1  running  44   5 s  2        0',
        'app.1 died at 2026-11-30T00:12:03.000Z: SIGKILL: hung: for 30 s: Error: boom',
        '    in flight: POST /orders 5e1a',
        'warning: the certificate for a.test expires in 3 days: /certs/a.crt',
        '',
      ].join('\n'),
    )
  })
})

describe('run/status: usage', () => {
  it('is in columns of its own, once it is known', () => {
    const [worker] = status.workers
    assert.ok(worker)
    const usage = { rss: 61 * 2 ** 20, cpuSeconds: 9, cpu: 0.127 }
    const requests = { total: 9, inFlight: 3, busySeconds: 1 }
    const container = { cpus: 2, memory: 300 * 2 ** 20, memoryLimit: 2 ** 29, oomKills: 1, disks: [] }
    const text = formatStatus({ ...status, workers: [{ ...worker, usage, requests }], container })
    assert.match(text, /^container 300 MB of 512 MB, 2 CPUs, 1 killed for lack of memory$/m)
    assert.match(text, /^NAME {5}STATE {4}PID {2}UP {3}CPU {3}RSS {4}IN FLIGHT {2}CRASHES {2}REPLACED$/m)
    assert.match(text, /^app\.1 {4}serving {2}43 {3}7 s {2}13 % {2}61 MB {2}3 {10}2 {8}1$/m)
    assert.match(text, /^queue\.1 {2}running {2}44 {3}5 s {2}- {5}- {6}- {10}2 {8}0$/m)
  })
})

describe('run/adapters/admin-app: dynamic routes', () => {
  const routes = {
    list: async (pattern?: string) => [{ host: pattern ?? 'all', target: 'web' }],
    async get(host: string) {
      if (host === 'down.test') throw new Error('Redis: no response for 3 s')
      return host === 'a.test' ? { host, name: host, target: 'web', source: 'routes.json' } : undefined
    },
    value: async (host: string) => (host === 'a.test' ? 'web' : undefined),
    exportAll: async () => ({ 'a.test': 'web' }),
  }

  it('are listed, shown and exported', async () => {
    const server = app({}, { livePath: '/healthz', readyPath: '/readyz' }, routes)
    await request(server)
      .get('/routes')
      .expect(200, [{ host: 'all', target: 'web' }])
    await request(server)
      .get('/routes?match=*.test')
      .expect(200, [{ host: '*.test', target: 'web' }])
    await request(server).get('/routes?export=true').expect(200, { 'a.test': 'web' })
    await request(server)
      .get('/routes/a.test')
      .expect(200, { host: 'a.test', name: 'a.test', target: 'web', source: 'routes.json' })
    await request(server).get('/routes/a.test?value=true').expect(200, { value: 'web' })
    await request(server).get('/routes/b.test?value=true').expect(200, { value: null })
  })

  it('that do not exist, or cannot be read, are an error with the reason', async () => {
    const server = app({}, { livePath: '/healthz', readyPath: '/readyz' }, routes)
    const failed = (reason: string) => ({ ok: false, message: 'cannot read routes', reason })
    await request(server).get('/routes/b.test').expect(409, failed('b.test has no route'))
    await request(server).get('/routes/down.test').expect(409, failed('Redis: no response for 3 s'))
    const { body } = await request(app()).get('/routes/a.test').expect(409)
    assert.match(body.reason, /dynamic_routes is not set/)
  })

  it('are imported from a body of any type and size', async () => {
    const text = 'a.test web\n'.repeat(20_000)
    for (const type of ['application/json', 'text/plain', 'application/octet-stream']) {
      const { body } = await request(app()).post('/routes').set('content-type', type).send(text).expect(200)
      assert.deepEqual(JSON.parse(body.message), { type: 'importRoutes', text })
    }
  })
})
