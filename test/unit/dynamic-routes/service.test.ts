import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { OperatorError } from '../../../supervisor/base/errors.ts'
import { createFileRoutes } from '../../../supervisor/dynamic-routes/file-store.ts'
import { formatChanges } from '../../../supervisor/dynamic-routes/hosts.ts'
import { dynamicRoutesOf } from '../../../supervisor/dynamic-routes/paths.ts'
import { formatRoute } from '../../../supervisor/dynamic-routes/route.ts'
import { createDynamicRoutes } from '../../../supervisor/dynamic-routes/service.ts'
import type { OnRoutesChange, RouteFileAccess } from '../../../supervisor/dynamic-routes/store.ts'
import { formatStatus, type Status } from '../../../supervisor/run/status.ts'
import { metricsOf } from '../run/status-metrics.ts'
import { acceptedApps, refusedOnce, yaml } from '../site/load-config.ts'
import { context, routeOf } from './route-context.ts'

/** A log that keeps its lines. */
function createLog() {
  const lines: string[] = []
  const write = (level: string) => (message: string, fields?: object) =>
    lines.push(`${level} ${message} ${JSON.stringify(fields)}`)
  return {
    lines,
    log: { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') } as never,
  }
}

function setUpFile(text: string | undefined) {
  const { lines, log } = createLog()
  const disk = { text, isFull: false }
  const heard: string[] = []
  const file: RouteFileAccess = {
    path: '/state/routes.json',
    read: () => disk.text,
    write(next) {
      if (disk.isFull) throw Object.assign(new Error('no space'), { code: 'ENOSPC' })
      disk.text = next
    },
  }
  const onChange: OnRoutesChange = async changes => {
    if (changes === 'all') return void heard.push('all')
    for (const [host, route] of changes) heard.push(`${host} ${route ? formatRoute(route) : '-'}`)
  }
  return { lines, disk, heard, store: createFileRoutes({ file, log, onChange }) }
}

describe('dynamic-routes/file-store', () => {
  it('is empty without a file, and creates one', async () => {
    const { store, disk, heard } = setUpFile(undefined)
    assert.equal(await store.find(['a.test']), undefined)
    await store.set(new Map([['a.test', routeOf('web')]]))
    assert.deepEqual((await store.find(['a.test']))?.route, routeOf('web'))
    assert.deepEqual([disk.text, heard], ['{\n  "a.test": "web"\n}\n', ['a.test web']])
  })

  it('adopts changes of other programs, even right before its own change', async () => {
    const { store, disk, heard } = setUpFile('{"a.test": "web"}')
    disk.text = '{"b.test": "web"}'
    await store.set(new Map([['c.test', routeOf('web')]]))
    assert.deepEqual(heard.sort(), ['a.test -', 'b.test web', 'c.test web'])
    disk.text = '{}'
    await store.refresh()
    assert.equal(store.status().routes, 0)
  })

  for (const damaged of ['{', undefined]) {
    it(`keeps the last routes when the file is ${damaged ?? 'removed'}, logs once, and never overwrites it`, async () => {
      const { store, disk, lines, heard } = setUpFile('{"a.test": "web"}')
      disk.text = damaged
      await store.refresh()
      await store.refresh()
      assert.deepEqual((await store.find(['a.test']))?.route, routeOf('web'))
      assert.equal(lines.filter(line => /cannot read dynamic routes/.test(line)).length, 1)
      await assert.rejects(
        store.set(new Map([['b.test', routeOf('web')]])),
        (error: unknown) => error instanceof OperatorError && /correct \/state\/routes\.json/.test(error.fix),
      )
      assert.deepEqual([disk.text, heard], [damaged, []])
      disk.text = '{"b.test": "web"}'
      await store.refresh()
      assert.deepEqual(
        [store.status(), heard.sort()],
        [{ routes: 1, rejected: 0, problem: undefined }, ['a.test -', 'b.test web']],
      )
      assert.match(lines.at(-1) ?? '', /readable again/)
    })
  }

  it('rejects lookups if the file is damaged from the start', async () => {
    const { store, disk } = setUpFile('oops')
    await assert.rejects(store.find(['a.test']))
    disk.text = '{"a.test": "web"}'
    await store.refresh()
    assert.deepEqual((await store.find(['a.test']))?.route, routeOf('web'))
  })

  it('logs all rejected entries in one line, once', async () => {
    const { store, lines } = setUpFile('{"a.test": "web", "x": "web", "y.test": "unix:/x"}')
    await store.refresh()
    assert.deepEqual(
      lines.filter(line => line.startsWith('warn')),
      [
        'warn dynamic routes rejected {"file":"/state/routes.json","count":2,"entries":"x: is a single word; y.test: \\"unix:/x\\" is not a valid target"}',
      ],
    )
  })

  it('changes nothing if the file cannot be written', async () => {
    const { store, disk, heard } = setUpFile('{}')
    disk.isFull = true
    await assert.rejects(
      store.set(new Map([['a.test', routeOf('web')]])),
      (error: unknown) => error instanceof OperatorError && /free space/.test(error.fix),
    )
    assert.deepEqual([(await store.find(['a.test']))?.route, heard], [undefined, []])
  })
})

describe('dynamic-routes/service', () => {
  function setUp(text = '{}') {
    const { lines, log } = createLog()
    const facts = { now: 1000, isNginxAway: false, around: context }
    const pushed: [number, [string, string | undefined][]][] = []
    const streams: string[] = []
    const disk = { text }
    const routes = createDynamicRoutes({
      clock: { now: () => facts.now, monotonic: () => facts.now, after: () => () => {} },
      log,
      openStore: onChange =>
        createFileRoutes({
          file: { path: 'routes.json', read: () => disk.text, write: next => Object.assign(disk, { text: next }) },
          log,
          onChange,
        }),
      context: () => facts.around,
      async push({ version, stream, changes }) {
        if (facts.isNginxAway) throw new Error('nobody listens')
        pushed.push([version, changes === 'all' ? [['*', undefined]] : [...changes]])
        streams.push(stream)
      },
    })
    return { routes, pushed, streams, facts, lines, disk }
  }

  it('sends nginx the changes, with a version that always grows, whatever the clock does', async () => {
    const { routes, pushed, facts } = setUp()
    assert.deepEqual(await routes.set('A.test', 'web'), { ok: true, message: 'a.test now leads to web' })
    facts.now = 0
    assert.deepEqual(await routes.remove('a.test'), { ok: true, message: 'route of a.test removed (before: web)' })
    assert.deepEqual(pushed, [
      [1001, [['a.test', 'app:web']]],
      [1002, [['a.test', undefined]]],
    ])
    assert.deepEqual(await routes.find('a.test'), { version: 1002, route: undefined, wildcard: undefined })
  })

  it('gives signs of life, in another stream after a change that nginx did not receive', async () => {
    const { routes, pushed, streams, facts } = setUp()
    await routes.confirm()
    await routes.set('a.test', 'web')
    assert.deepEqual(
      [pushed[0], streams],
      [
        [1000, []],
        ['1000-0', '1000-0'],
      ],
    )
    facts.isNginxAway = true
    await routes.set('a.test', 'legacy')
    await assert.rejects(routes.confirm())
    facts.isNginxAway = false
    await routes.confirm()
    assert.equal(streams.at(-1), '1000-1')
  })

  it('gives no sign of life while the store cannot be read', async () => {
    const { routes, pushed, disk } = setUp()
    disk.text = '{'
    await routes.set('a.test', 'web')
    await routes.confirm()
    assert.deepEqual(pushed, [])
  })

  it('has nginx ask again about every host after a reload that changes what routes lead to', async () => {
    const { routes, pushed, facts } = setUp()
    await routes.adopt()
    assert.deepEqual(pushed, [])
    facts.around = { ...context, apps: [] }
    await routes.adopt()
    await routes.adopt()
    assert.deepEqual(pushed, [[1001, [['*', undefined]]]])
  })

  it('finds the route of a host, else that of the longest wildcard above it', async () => {
    const { routes } = setUp('{"*.test": "web", "*.b.test": "legacy", "a.b.test": "10.0.0.2:80"}')
    for (const [host, route, wildcard] of [
      ['a.b.test', 'address:10.0.0.2:80', undefined],
      ['x.a.b.test', 'upstream:legacy', '*.b.test'],
      ['b.test', 'app:web', '*.test'],
      ['test', undefined, undefined],
      ['*.test', undefined, undefined],
      ['x.other', undefined, undefined],
    ] as const)
      assert.deepEqual(await routes.find(host), { version: 1000, route, wildcard }, host)
  })

  it('logs a route that does not work once, when it is requested, and again after a reload', async () => {
    const { routes, lines, facts } = setUp('{"a.test": "misspelt", "b.test": "127.0.0.1:80", "c.test": "web"}')
    const warned = () => lines.filter(line => line.startsWith('warn a dynamic route does not work'))
    for (const host of ['a.test', 'b.test', 'c.test', 'a.test']) await routes.find(host)
    assert.equal(warned().length, 2)
    assert.match(warned()[0] ?? '', /"host":"a.test","problem":".*misspelt.*","fix":/)
    facts.around = { ...context, apps: ['web', 'new'] }
    await routes.adopt()
    await routes.find('a.test')
    assert.equal(warned().length, 3)
  })

  it('names no password in a message or a list', async () => {
    const secret = 'alice:$apr1$secret$hash'
    const { routes } = setUp()
    const set = (value: object) => routes.set('a.test', JSON.stringify(value))
    const outcomes = [
      await set({ targets: 'web', basic_auth: [secret, 'bob:plain'] }),
      await set({ targets: 'web', basic_auth: [secret], [secret]: 1 }),
      await set({ targets: 'web', basic_auth: [secret] }),
    ]
    assert.deepEqual(
      outcomes.map(({ ok }) => ok),
      [false, false, true],
    )
    assert.doesNotMatch(JSON.stringify([outcomes[0], outcomes[2], await routes.list()]), /secret|plain/)
    assert.match(JSON.stringify(await routes.list()), /web, 1 user/)
  })

  it('reports each problem with its fix', async () => {
    const { routes, pushed } = setUp()
    for (const [host, target, says] of [
      ['a.*.test', 'web', /host "a\.\*\.test" has a \* inside.*\n {2}fix: /],
      ['a.test', 'x.test:80', /target "x\.test:80" is a name that needs DNS\n {2}fix: add it to upstreams/],
      ['www.example.com', 'web', /in the configuration.*\n {2}fix: remove it/],
    ] as const) {
      const outcome = await routes.set(host, target)
      assert.ok(!outcome.ok && says.test(outcome.reason), JSON.stringify(outcome))
    }
    const outcome = await routes.remove('a.test')
    assert.ok(!outcome.ok && /a\.test has no route\n/.test(outcome.reason))
    assert.deepEqual(pushed, [])
  })

  it('fails if nginx does not accept a change, but stores it', async () => {
    const { routes, facts } = setUp()
    facts.isNginxAway = true
    const outcome = await routes.set('a.test', 'web')
    assert.ok(
      !outcome.ok &&
        /the change is stored, but nginx did not receive it: nobody listens\n {2}fix: /.test(outcome.reason),
    )
    assert.equal((await routes.find('a.test')).route, 'app:web')
  })

  it('logs the routes that do not work once, and again when they change', async () => {
    const { routes, facts, lines } = setUp('{"a.test": "web", "b.test": "nobody"}')
    const warnings = () => lines.filter(line => /do not work/.test(line)).length
    await routes.report()
    await routes.report()
    assert.equal(warnings(), 1)
    facts.around = { ...context, namedHosts: ['a.test'] }
    await routes.report()
    assert.equal(warnings(), 2)
    assert.deepEqual(
      (await routes.list()).map(({ host, problem = '' }) => [host, problem.slice(0, 9)]),
      [
        ['a.test', 'a.test is'],
        ['b.test', 'nobody is'],
      ],
    )
  })
})

describe('dynamic_routes', () => {
  it('is off by default, and stored in a file', () => {
    assert.equal(acceptedApps({}).dynamic_routes, undefined)
    assert.deepEqual(acceptedApps(yaml('dynamic_routes: {store: file}\n')).dynamic_routes, {
      store: 'file',
      stale_for: 600_000,
      unknown: '403',
    })
    const text = 'dynamic_routes: {store: file, unknown: 404}\n'
    assert.equal(acceptedApps(yaml(text)).dynamic_routes?.unknown, '404')
  })

  const wrong: [string, string, RegExp][] = [
    ['dynamic_routes: {store: redis}', 'dynamic_routes.store', /is not file and not a URL/],
    ['dynamic_routes: {}', 'dynamic_routes.store', /expected file/],
    ['dynamic_routes: {store: file, unknown: 500}', 'dynamic_routes.unknown', /expected 403, 404, 421, 444 or page/],
    ['dynamic_routes: {store: file, path: x}', 'dynamic_routes.path', /not a known key/],
    [
      'dynamic_routes: {store: file}\nserver_names: [a.test]\nunknown_host: "421"',
      'unknown_host',
      /conflicts with dynamic_routes/,
    ],
    [
      'dynamic_routes: {store: file}\nupstreams: {app: {servers: ["10.0.0.2:80"]}}',
      'upstreams.app',
      /also the name of an app/,
    ],
  ]
  for (const [text, key, says] of wrong) {
    it(`rejects ${text.replaceAll('\n', ', ')}`, () => {
      const problem = refusedOnce(yaml(`${text}\n`))
      assert.equal(problem.key, key)
      assert.match(problem.problem, says)
    })
  }

  it('is rejected with a fix if nginx has no Lua', () => {
    const config = acceptedApps(yaml('dynamic_routes: {store: file}\nserver_names: [A.test]\n'))
    assert.throws(
      () => dynamicRoutesOf(config, { luaModules: undefined }),
      (error: unknown) => error instanceof OperatorError && /libnginx-mod-http-lua/.test(error.fix),
    )
    assert.deepEqual(dynamicRoutesOf(config, { luaModules: [] })?.namedHosts, ['a.test'])
  })

  it('is sent to nginx in messages of limited size', () => {
    const changes = new Map(
      Array.from({ length: 450 }, (_, index) => [`h${index}.test`, index % 2 ? 'app:web' : undefined]),
    )
    const messages = formatChanges({ version: 7, stream: '1-0', changes })
    assert.deepEqual(
      messages.map(text => text.split('\n').length),
      [202, 202, 52],
    )
    assert.match(messages[0] ?? '', /^7 1-0\nh0\.test\nh1\.test app:web\n/)
  })

  it('shows in the status and the metrics', () => {
    const status: Status = {
      ...{ pid: 1, state: 'ready', uptimeSeconds: 1, http: [], https: [] },
      ...{ workers: [], processes: [], scaled: [], upstreams: [] },
    }
    assert.doesNotMatch(formatStatus(status) + metricsOf(status), /dynamic/)
    const dynamicRoutes = { routes: 3, rejected: 2, problem: 'the file was removed' }
    assert.match(
      formatStatus({ ...status, dynamicRoutes }),
      /^dynamic routes: 3; the store cannot be read: the file was removed$/m,
    )
    assert.match(metricsOf({ ...status, dynamicRoutes }), /^monohull_dynamic_routes 3$/m)
    assert.match(metricsOf({ ...status, dynamicRoutes }), /^monohull_dynamic_routes_rejected 2$/m)
    assert.match(metricsOf({ ...status, dynamicRoutes }), /^monohull_dynamic_routes_readable 0$/m)
  })
})
