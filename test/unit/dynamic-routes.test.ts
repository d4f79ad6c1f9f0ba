import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { dynamicRoutesOf } from '../../supervisor/assembly/dynamic-place.ts'
import { OperatorError } from '../../supervisor/base/errors.ts'
import { formatTarget, readRouteHost, readRouteTarget } from '../../supervisor/domain/dynamic-route.ts'
import { formatMetrics } from '../../supervisor/domain/metrics.ts'
import { formatChanges } from '../../supervisor/domain/nginx-dynamic-hosts.ts'
import { changedRoutes, readRouteFile, writeRouteFile } from '../../supervisor/domain/route-file.ts'
import type { HearOfRoutes, RouteFileAccess } from '../../supervisor/domain/route-store.ts'
import { encodeTarget, findRouteObstacle, type RouteSurroundings } from '../../supervisor/domain/route-surroundings.ts'
import { formatStatus, type Status } from '../../supervisor/domain/status.ts'
import { createDynamicRoutes } from '../../supervisor/services/dynamic-routes.ts'
import { createFileRoutes } from '../../supervisor/services/file-routes.ts'
import { acceptedApps, refusedOnce, yaml } from './load-config.ts'

const targetOf = (text: string) => {
  const reading = readRouteTarget(text)
  return reading.ok ? reading.value : assert.fail(reading.problem)
}

describe('domain/dynamic-route: hosts', () => {
  it('are host names, in lower case', () => {
    for (const name of ['shop.example.com', 'SHOP.example.com', 'my_shop.example.com', 'xn--bcher-kva.example'])
      assert.deepEqual(readRouteHost(name), { ok: true, value: name.toLowerCase() })
  })

  const wrong: [string, RegExp][] = [
    ['', /no host name/],
    ['localhost', /single word/],
    ['127.0.0.1', /an address/],
    ['::1', /no host name/],
    ['*.example.com', /no wildcards/],
    ['bücher.example', /ASCII/],
    ['shop.example.com.', /no host name/],
    ['shop..example.com', /no host name/],
    ['shop.example.com:80', /no host name/],
    ['a b.example.com', /no host name/],
    ['shop.example.com/../x', /no host name/],
    [`${'a'.repeat(64)}.example.com`, /no host name/],
    [`${'a.'.repeat(127)}test`, /no host name/],
  ]
  for (const [name, why] of wrong) {
    it(`are not ${JSON.stringify(name.slice(0, 30))}`, () => {
      const reading = readRouteHost(name)
      assert.ok(!reading.ok && why.test(reading.problem) && reading.fix !== '', JSON.stringify(reading))
    })
  }

  it('never hold what would be more than a word to nginx', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), text => {
        const reading = readRouteHost(text)
        assert.ok(!reading.ok || /^[a-z0-9_][a-z0-9_.-]+$/.test(reading.value))
      }),
    )
  })
})

describe('domain/dynamic-route: targets', () => {
  it('are names, or addresses in their one form', () => {
    assert.deepEqual(targetOf('web-2'), { kind: 'name', name: 'web-2' })
    assert.deepEqual(targetOf('10.0.0.2:5000'), { kind: 'address', address: '10.0.0.2', port: 5000 })
    assert.equal(formatTarget(targetOf('[2001:DB8:0::2]:65535')), '[2001:db8::2]:65535')
    assert.equal(formatTarget(targetOf('[::1]:80')), '[::1]:80')
    assert.equal(formatTarget(targetOf('127.0.0.1:80')), '127.0.0.1:80')
  })

  const wrong: [string, RegExp][] = [
    ...['', 'Web', 'a b', 'unix:/run/monohull/admin.sock', 'http://10.0.0.2', '10.0.0.2', '10.0.0.2:0'].map(
      (text): [string, RegExp] => [text, /no target/],
    ),
    ...['10.0.0.2:65536', '010.0.0.2:80', '256.0.0.1:80', '1.2.3:80', '[fe80::1%eth0]:80', '10.0.0.2:80;'].map(
      (text): [string, RegExp] => [text, /no target/],
    ),
    ['backend.internal:8080', /name to look up/],
    ['localhost:8080', /name to look up/],
    ...['0.0.0.0:80', '169.254.169.254:80', '224.0.0.1:80', '255.255.255.255:80', '[::]:80', '[fe80::1]:80'].map(
      (text): [string, RegExp] => [text, /no address of a server/],
    ),
    ...[
      '[::ffff:169.254.169.254]:80',
      '[::ffff:a9fe:a9fe]:80',
      '[0:0:0:0:0:ffff:a9fe:a9fe]:80',
      '[::a9fe:a9fe]:80',
    ].map((text): [string, RegExp] => [text, /no address of a server/]),
    ...['[64:ff9b::a9fe:a9fe]:80', '[2002:a9fe:a9fe::]:80', '[ff02::1]:80', '[fd00:ec2::254]:80'].map(
      (text): [string, RegExp] => [text, /no address of a server/],
    ),
  ]
  for (const [text, why] of wrong) {
    it(`are not ${text || 'nothing'}`, () => {
      const reading = readRouteTarget(text)
      assert.ok(!reading.ok && why.test(reading.problem) && reading.fix !== '', JSON.stringify(reading))
    })
  }

  it('are read back from their text, and never hold a path, whatever is read', () => {
    const part = fc.constantFrom(
      '10',
      '169',
      '254',
      '.',
      ':',
      '[',
      ']',
      '::',
      'ffff',
      'a9fe',
      '0',
      'web',
      '-',
      '/',
      'unix:',
      '80',
    )
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(part, { maxLength: 12 }).map(parts => parts.join('')),
        ),
        text => {
          const reading = readRouteTarget(text)
          if (!reading.ok) return
          const again = formatTarget(reading.value)
          assert.deepEqual(readRouteTarget(again), reading)
          assert.match(again, /^([a-z0-9-]+|[\d.]+:\d+|\[[\da-f:]+\]:\d+)$/)
          assert.doesNotMatch(again, /^(0\.|169\.254\.|22[4-9]\.|2[345]\d\.)/)
        },
      ),
      { numRuns: 2000 },
    )
  })
})

const surroundings: RouteSurroundings = {
  namedHosts: ['www.example.com', '*.example.org'],
  apps: ['web'],
  upstreams: ['legacy'],
  folders: ['docs'],
  isOwn: (address, port) => address === '127.0.0.1' && port === 80,
}

describe('domain/route-surroundings', () => {
  const obstacle = (host: string, target: string) =>
    findRouteObstacle(host, targetOf(target), surroundings)?.problem ?? ''

  it('has nothing against an app, an upstream or an address', () => {
    for (const target of ['web', 'legacy', '10.0.0.2:80', '127.0.0.1:81']) assert.equal(obstacle('a.test', target), '')
  })

  it('tells why another would not serve', () => {
    assert.match(obstacle('www.example.com', 'web'), /^www\.example\.com is in the configuration/)
    assert.match(obstacle('a.b.example.org', 'web'), /^\*\.example\.org, which a\.b\.example\.org is one of/)
    assert.match(obstacle('a.test', 'nobody'), /no app and no upstream/)
    assert.match(obstacle('a.test', 'docs'), /folder of files/)
    assert.match(obstacle('a.test', '127.0.0.1:80'), /nginx itself/)
  })

  it('writes targets for nginx, and none where they lead nowhere', () => {
    const texts = ['web', 'legacy', '[2001:db8::2]:80', 'nobody', 'docs', '127.0.0.1:80']
    assert.deepEqual(
      texts.map(text => encodeTarget(targetOf(text), surroundings)),
      ['app:web', 'upstream:legacy', 'address:[2001:db8::2]:80', 'none', 'none', 'none'],
    )
  })
})

describe('domain/route-file', () => {
  it('reads hosts with targets, and leaves out what is none', () => {
    const { routes, refused } = readRouteFile(
      '{"a.test": "web", "B.test": "10.0.0.2:80", "b.test": "web", "c": "web", "d.test": 1, "__proto__": "web", "e.test": "\\u0000"}',
    )
    assert.deepEqual([...routes.keys()], ['a.test', 'b.test'])
    assert.deepEqual(refused, [
      'b.test: is there twice',
      'c: is a single word',
      'd.test: 1 is no target',
      '__proto__: is a single word',
      'e.test: "\\u0000" is no target',
    ])
  })

  for (const text of ['', '{', '[]', 'null', '"x"', '{"a.test": "web",}'])
    it(`refuses ${text || 'nothing'} as a whole`, () => assert.throws(() => readRouteFile(text)))

  it('keeps what it does not understand when one entry changes', () => {
    const { entries } = readRouteFile('{"B.test": "web", "oops": 1, "a.test": "web"}')
    assert.equal(
      writeRouteFile(entries, 'b.test', targetOf('10.0.0.2:80')),
      '{\n  "a.test": "web",\n  "b.test": "10.0.0.2:80",\n  "oops": 1\n}\n',
    )
    assert.equal(writeRouteFile(entries, 'b.test', undefined), '{\n  "a.test": "web",\n  "oops": 1\n}\n')
  })

  it('never fails but by an Error, whatever is in there, and reads back what it wrote', () => {
    fc.assert(
      fc.property(fc.json(), fc.domain(), (text, host) => {
        let file: ReturnType<typeof readRouteFile>
        try {
          file = readRouteFile(text)
        } catch (error) {
          return void assert.ok(error instanceof Error)
        }
        const again = readRouteFile(writeRouteFile(file.entries, host, targetOf('web')))
        assert.deepEqual(again.routes.get(host), targetOf('web'))
      }),
    )
  })

  it('tells what changed', () => {
    const before = readRouteFile('{"same.test": "web", "moved.test": "web", "gone.test": "web"}').routes
    const after = readRouteFile('{"same.test": "web", "moved.test": "legacy", "new.test": "web"}').routes
    assert.deepEqual(
      [...changedRoutes(before, after)].map(([host, target]) => [host, target && formatTarget(target)]).sort(),
      [
        ['gone.test', undefined],
        ['moved.test', 'legacy'],
        ['new.test', 'web'],
      ],
    )
  })
})

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
  const hear: HearOfRoutes = async changes => {
    for (const [host, target] of changes) heard.push(`${host} ${target ? formatTarget(target) : '-'}`)
  }
  return { lines, disk, heard, store: createFileRoutes({ file, log, hear }) }
}

describe('services/file-routes', () => {
  it('is empty without a file, and makes one', async () => {
    const { store, disk, heard } = setUpFile(undefined)
    assert.equal(await store.find('a.test'), undefined)
    await store.set('a.test', targetOf('web'))
    assert.deepEqual(await store.find('a.test'), targetOf('web'))
    assert.deepEqual([disk.text, heard], ['{\n  "a.test": "web"\n}\n', ['a.test web']])
  })

  it('takes up what somebody else wrote, a moment before a change of its own too', async () => {
    const { store, disk, heard } = setUpFile('{"a.test": "web"}')
    disk.text = '{"b.test": "web"}'
    await store.set('c.test', targetOf('web'))
    assert.deepEqual(heard.sort(), ['a.test -', 'b.test web', 'c.test web'])
    disk.text = '{}'
    await store.refresh()
    assert.equal(store.status().routes, 0)
  })

  for (const damaged of ['{', undefined]) {
    it(`goes on with what it read when the file is ${damaged ?? 'gone'}, tells once, and never writes over it`, async () => {
      const { store, disk, lines, heard } = setUpFile('{"a.test": "web"}')
      disk.text = damaged
      await store.refresh()
      await store.refresh()
      assert.deepEqual(await store.find('a.test'), targetOf('web'))
      assert.equal(lines.filter(line => /cannot read dynamic routes/.test(line)).length, 1)
      await assert.rejects(
        store.set('b.test', targetOf('web')),
        (error: unknown) => error instanceof OperatorError && /mend \/state\/routes\.json/.test(error.fix),
      )
      assert.deepEqual([disk.text, heard], [damaged, []])
      disk.text = '{"b.test": "web"}'
      await store.refresh()
      assert.deepEqual([store.status(), heard.sort()], [{ routes: 1, problem: undefined }, ['a.test -', 'b.test web']])
      assert.match(lines.at(-1) ?? '', /read again/)
    })
  }

  it('knows that it knows nothing when the file is damaged from the start', async () => {
    const { store, disk } = setUpFile('oops')
    await assert.rejects(store.find('a.test'))
    disk.text = '{"a.test": "web"}'
    await store.refresh()
    assert.deepEqual(await store.find('a.test'), targetOf('web'))
  })

  it('names what it leaves out in one line, once', async () => {
    const { store, lines } = setUpFile('{"a.test": "web", "x": "web", "y.test": "unix:/x"}')
    await store.refresh()
    assert.deepEqual(
      lines.filter(line => line.startsWith('warn')),
      [
        'warn dynamic routes left out {"file":"/state/routes.json","count":2,"entries":"x: is a single word; y.test: \\"unix:/x\\" is no target"}',
      ],
    )
  })

  it('changes nothing when the file cannot be written', async () => {
    const { store, disk, heard } = setUpFile('{}')
    disk.isFull = true
    await assert.rejects(
      store.set('a.test', targetOf('web')),
      (error: unknown) => error instanceof OperatorError && /free space/.test(error.fix),
    )
    assert.deepEqual([await store.find('a.test'), heard], [undefined, []])
  })
})

describe('services/dynamic-routes', () => {
  function setUp(text = '{}') {
    const { lines, log } = createLog()
    const facts = { now: 1000, isNginxAway: false, around: surroundings }
    const pushed: [number, [string, string | undefined][]][] = []
    const disk = { text }
    const routes = createDynamicRoutes({
      clock: { now: () => facts.now, after: () => () => {} },
      log,
      openStore: hear =>
        createFileRoutes({
          file: { path: 'routes.json', read: () => disk.text, write: next => Object.assign(disk, { text: next }) },
          log,
          hear,
        }),
      surroundings: () => facts.around,
      async push(version, changes) {
        if (facts.isNginxAway) throw new Error('nobody listens')
        pushed.push([version, [...changes]])
      },
    })
    return { routes, pushed, facts, lines }
  }

  it('tells nginx what changed, with a version that only grows, whatever the clock does', async () => {
    const { routes, pushed, facts } = setUp()
    assert.deepEqual(await routes.set('A.test', 'web'), { ok: true, message: 'a.test leads to web' })
    facts.now = 0
    assert.deepEqual(await routes.remove('a.test'), { ok: true, message: 'a.test has no route any more' })
    assert.deepEqual(pushed, [
      [1001, [['a.test', 'app:web']]],
      [1002, [['a.test', undefined]]],
    ])
    assert.deepEqual(await routes.find('a.test'), { version: 1002, target: undefined })
  })

  it('says what is wrong and how to mend it', async () => {
    const { routes, pushed } = setUp()
    for (const [host, target, says] of [
      ['*.test', 'web', /host "\*\.test" is no single host.*\n {2}fix: /],
      ['a.test', 'x.test:80', /target "x\.test:80" has a name to look up\n {2}fix: make it an upstream/],
      ['www.example.com', 'web', /in the configuration.*\n {2}fix: take it out/],
    ] as const) {
      const outcome = await routes.set(host, target)
      assert.ok(!outcome.ok && says.test(outcome.reason), JSON.stringify(outcome))
    }
    const outcome = await routes.remove('a.test')
    assert.ok(!outcome.ok && /a\.test has no route\n/.test(outcome.reason))
    assert.deepEqual(pushed, [])
  })

  it('fails when nginx does not take it, though it is kept', async () => {
    const { routes, facts } = setUp()
    facts.isNginxAway = true
    const outcome = await routes.set('a.test', 'web')
    assert.ok(!outcome.ok && /it is kept, but nginx was not told: nobody listens\n {2}fix: /.test(outcome.reason))
    assert.equal((await routes.find('a.test')).target, 'app:web')
  })

  it('tells which routes do not serve, once, and again when they are others', async () => {
    const { routes, facts, lines } = setUp('{"a.test": "web", "b.test": "nobody"}')
    const warnings = () => lines.filter(line => /do not serve/.test(line)).length
    await routes.report()
    await routes.report()
    assert.equal(warnings(), 1)
    facts.around = { ...surroundings, namedHosts: ['a.test'] }
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
  it('is off, and kept in a file', () => {
    assert.equal(acceptedApps({}).dynamic_routes, undefined)
    assert.deepEqual(acceptedApps(yaml('dynamic_routes: {store: file}\n')).dynamic_routes, { store: 'file' })
  })

  const wrong: [string, string, RegExp][] = [
    ['dynamic_routes: {store: redis}', 'dynamic_routes.store', /expected file/],
    ['dynamic_routes: {}', 'dynamic_routes.store', /expected file/],
    ['dynamic_routes: {store: file, path: x}', 'dynamic_routes.path', /not a known key/],
    [
      'dynamic_routes: {store: file}\nserver_names: [a.test]\nunknown_host: "421"',
      'unknown_host',
      /contradicts dynamic_routes/,
    ],
    [
      'dynamic_routes: {store: file}\nupstreams: {app: {servers: ["10.0.0.2:80"]}}',
      'upstreams.app',
      /name of an app too/,
    ],
  ]
  for (const [text, key, says] of wrong) {
    it(`refuses ${text.replaceAll('\n', ', ')}`, () => {
      const problem = refusedOnce(yaml(`${text}\n`))
      assert.equal(problem.key, key)
      assert.match(problem.problem, says)
    })
  }

  it('is refused where nginx has no Lua, with the fix', () => {
    const config = acceptedApps(yaml('dynamic_routes: {store: file}\nserver_names: [A.test]\n'))
    assert.throws(
      () => dynamicRoutesOf(config, { luaModules: undefined }),
      (error: unknown) => error instanceof OperatorError && /libnginx-mod-http-lua/.test(error.fix),
    )
    assert.deepEqual(dynamicRoutesOf(config, { luaModules: [] })?.namedHosts, ['a.test'])
  })

  it('is told to nginx in messages of a size that it takes', () => {
    const changes = new Map(
      Array.from({ length: 450 }, (_, index) => [`h${index}.test`, index % 2 ? 'app:web' : undefined]),
    )
    const messages = formatChanges(7, changes)
    assert.deepEqual(
      messages.map(text => text.split('\n').length),
      [202, 202, 52],
    )
    assert.match(messages[0] ?? '', /^7\nh0\.test\nh1\.test app:web\n/)
  })

  it('shows in the status and the metrics', () => {
    const status: Status = {
      ...{ pid: 1, state: 'ready', uptimeSeconds: 1, http: [], https: [] },
      ...{ workers: [], processes: [], scaled: [], upstreams: [] },
    }
    assert.doesNotMatch(formatStatus(status) + formatMetrics(status), /dynamic/)
    const dynamicRoutes = { routes: 3, problem: 'it is gone' }
    assert.match(
      formatStatus({ ...status, dynamicRoutes }),
      /^dynamic routes: 3; the store cannot be read: it is gone$/m,
    )
    assert.match(formatMetrics({ ...status, dynamicRoutes }), /^monohull_dynamic_routes 3$/m)
    assert.match(formatMetrics({ ...status, dynamicRoutes }), /^monohull_dynamic_routes_readable 0$/m)
  })
})
