import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type CountedRoute, routeId } from '../../../../supervisor/front/requests/counted-route.ts'
import { readRequests } from '../../../../supervisor/front/requests/request-reader.ts'
import { parseReport } from '../../../../supervisor/front/requests/request-report.ts'

const routes = new Map<string, CountedRoute>([
  ['RAx', { app: 'web', route: '/' }],
  ['RACx', { app: 'web', route: '/' }],
  ['Ry', { upstream: 'old', route: '/old' }],
])
const context = { routes, now: 5_002_500, sockets: new Map([[42, 'web.1']]) }

describe('front/requests/request-report', () => {
  it('reads series, with their labels and buckets', () => {
    const text = 'RAx GET 200 http n 3\nRAx GET 200 http s 0.5\nRAx GET 200 http 2 1\nRAx GET 200 http o 12\n'
    const [series] = parseReport(text, context).counts.series
    assert.deepEqual(series, {
      ...{ app: 'web', route: '/', method: 'GET', status: 200, scheme: 'http', count: 3, seconds: 0.5 },
      ...{ buckets: [0, 1, ...Array(12).fill(0)], workerSeconds: 0, bytesIn: 0, bytesOut: 12 },
    })
  })

  it('adds series with the same labels: a route whose cache was turned on, or two with the same path', () => {
    const { series } = parseReport(
      'RAx GET 200 http n 3\nRACx GET 200 http n 4\nRAx GET 200 https n 1\n',
      context,
    ).counts
    assert.deepEqual(
      series.map(({ scheme, count }) => [scheme, count]),
      [
        ['http', 7],
        ['https', 1],
      ],
    )
  })

  it('keeps requests that no route got, and names the ids of routes that are gone', () => {
    const { counts, unknown } = parseReport(' GET 400 http n 3\nRgone GET 200 http n 4\nroute Rgone 2\n', context)
    assert.deepEqual(
      counts.series.map(({ route, count }) => [route, count]),
      [['', 3]],
    )
    assert.deepEqual([unknown, counts.active], [['Rgone'], []])
  })

  it('adds the open requests of all nginx workers', () => {
    const open = 'route RAx 2\nworker web.10 2\noldest web.10 5001.000 GET /a?b\n'
    const other = 'route RAx 1\nroute Ry 4\nworker web.10 1\noldest web.10 5002.000 PUT /c\nworker web.2 1\n'
    const { counts } = parseReport(`web.10 n 7\nweb.10 w 1.5\n${open}${other}`, context)
    assert.deepEqual(counts.active, [
      { app: 'web', count: 3 },
      { upstream: 'old', count: 4 },
    ])
    assert.deepEqual(counts.workers, [
      { worker: 'web.2', requests: 0, inFlight: 1, busySeconds: 0 },
      {
        ...{ worker: 'web.10', requests: 7, inFlight: 3, busySeconds: 1.5 },
        oldest: { method: 'GET', path: '/a?b', ageMs: 1500 },
      },
    ])
  })

  it('reads the queues of the sockets of workers, but of no other socket', () => {
    const { workers } = parseReport('queue 42 3\nqueue 43 9\n', context).counts
    assert.deepEqual(
      workers.map(({ worker, queue }) => [worker, queue]),
      [['web.1', 3]],
    )
  })

  it('reads rejections and results of caches', () => {
    const { counts } = parseReport('rejected rate n 3\ncache HIT n 9\ndropped 2\n', context)
    assert.deepEqual(
      [counts.rejected, counts.cache, counts.dropped],
      [[{ reason: 'rate', count: 3 }], [{ result: 'HIT', count: 9 }], 2],
    )
  })
})

describe('front/requests/request-reader', () => {
  it('lets nginx forget the routes that are gone', async () => {
    const paths: string[] = []
    await readRequests({
      routes: async () => routes,
      sockets: () => new Map(),
      now: () => 0,
      async get(path) {
        paths.push(path)
        return 'Rgone GET 200 http n 4\nRgone GET 200 http s 4\nRAx GET 200 http n 4\n'
      },
    })
    assert.deepEqual(paths, ['/requests', '/forget?Rgone'])
  })

  it('is undefined while nginx does not respond', async () => {
    const get = async () => undefined
    assert.equal(
      await readRequests({ routes: async () => routes, sockets: () => new Map(), now: () => 0, get }),
      undefined,
    )
  })
})

describe('front/requests/counted-route', () => {
  const traits = { hasCache: false, isGuarded: false, isPreliminary: false }

  it('has flags in capital letters, and no other capital letter', () => {
    const id = routeId({ app: 'web', route: '/' }, 'prefix', { hasCache: true, isGuarded: true, isPreliminary: true })
    assert.match(id, /^RACGL[a-z0-9]+$/)
    assert.match(routeId({ route: '/' }, 'prefix', traits), /^R[a-z0-9]+$/)
  })

  it('differs by target, path, host and match', () => {
    const ids = [
      routeId({ app: 'web', route: '/' }, 'prefix', traits),
      routeId({ app: 'api', route: '/' }, 'prefix', traits),
      routeId({ upstream: 'web', route: '/' }, 'prefix', traits),
      routeId({ app: 'web', route: '/a' }, 'prefix', traits),
      routeId({ app: 'web', route: '/' }, 'exact', traits),
      routeId({ app: 'web', route: '/', host: 'a.test' }, 'prefix', traits),
    ]
    assert.equal(new Set(ids.map(id => id.replace(/^R[A-Z]*/, ''))).size, ids.length)
  })
})
