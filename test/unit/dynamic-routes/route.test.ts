import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { findRouteObstacle } from '../../../supervisor/dynamic-routes/context.ts'
import { encodeRoute } from '../../../supervisor/dynamic-routes/encoding.ts'
import { changedRoutes, readRouteFile, writeRouteFile } from '../../../supervisor/dynamic-routes/file-format.ts'
import { formatRoute } from '../../../supervisor/dynamic-routes/route.ts'
import { candidatesOf, readRouteHost } from '../../../supervisor/dynamic-routes/route-host.ts'
import { formatTarget, readRouteTarget } from '../../../supervisor/dynamic-routes/target.ts'
import { context, routeOf, targetOf } from './route-context.ts'

describe('dynamic-routes/route-host', () => {
  it('are host names, in lower case', () => {
    for (const name of ['shop.example.com', 'SHOP.example.com', 'my_shop.example.com', 'xn--bcher-kva.example'])
      assert.deepEqual(readRouteHost(name), { ok: true, value: name.toLowerCase() })
  })

  it('are wildcards, and international names, which clients send in ASCII', () => {
    for (const [name, value] of [
      ['*.Example.com', '*.example.com'],
      ['*.test', '*.test'],
      ['shop.example.com.', 'shop.example.com'],
      ['Bücher.example', 'xn--bcher-kva.example'],
      ['*.bücher.example.', '*.xn--bcher-kva.example'],
    ] as const)
      assert.deepEqual(readRouteHost(name), { ok: true, value })
  })

  it('have candidates: the host, then wildcards, the longest first', () => {
    assert.deepEqual(candidatesOf('a.b.test'), ['a.b.test', '*.b.test', '*.test'])
    assert.deepEqual(candidatesOf('test'), ['test'])
  })

  const wrong: [string, RegExp][] = [
    ['', /not a host name/],
    ['localhost', /single word/],
    ['127.0.0.1', /an address/],
    ['::1', /not a host name/],
    ['a.*.example.com', /has a \* inside/],
    ['*.*.example.com', /has a \* inside/],
    ['*', /has a \* inside/],
    ['*.127.0.0.1', /an address/],
    ['a\u{fffd}.example', /no form in ASCII/],
    ['１２７.0.0.1', /an address/],
    ['shop.example.com..', /not a host name/],
    ['shop..example.com', /not a host name/],
    ['shop.example.com:80', /not a host name/],
    ['a b.example.com', /not a host name/],
    ['shop.example.com/../x', /not a host name/],
    [`${'a'.repeat(64)}.example.com`, /not a host name/],
    [`${'a.'.repeat(127)}test`, /not a host name/],
  ]
  for (const [name, why] of wrong) {
    it(`are not ${JSON.stringify(name.slice(0, 30))}`, () => {
      const reading = readRouteHost(name)
      assert.ok(!reading.ok && why.test(reading.problem) && reading.fix !== '', JSON.stringify(reading))
    })
  }

  it('never contain anything that nginx would read as more than one word', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), text => {
        const reading = readRouteHost(text)
        assert.ok(!reading.ok || /^(\*\.)?[a-z0-9_][a-z0-9_.-]+$/.test(reading.value))
      }),
    )
  })
})

describe('dynamic-routes/target', () => {
  it('are names, or addresses in canonical form', () => {
    assert.deepEqual(targetOf('web-2'), { kind: 'name', name: 'web-2' })
    assert.deepEqual(targetOf('10.0.0.2:5000'), { kind: 'address', address: '10.0.0.2', port: 5000 })
    assert.equal(formatTarget(targetOf('[2001:DB8:0::2]:65535')), '[2001:db8::2]:65535')
    assert.equal(formatTarget(targetOf('[::1]:80')), '[::1]:80')
    assert.equal(formatTarget(targetOf('127.0.0.1:80')), '127.0.0.1:80')
  })

  const wrong: [string, RegExp][] = [
    ...['', 'Web', 'a b', 'unix:/run/monohull/admin.sock', 'http://10.0.0.2', '10.0.0.2', '10.0.0.2:0'].map(
      (text): [string, RegExp] => [text, /not a valid target/],
    ),
    ...['10.0.0.2:65536', '010.0.0.2:80', '256.0.0.1:80', '1.2.3:80', '[fe80::1%eth0]:80', '10.0.0.2:80;'].map(
      (text): [string, RegExp] => [text, /not a valid target/],
    ),
    ['backend.internal:8080', /name that needs DNS/],
    ['localhost:8080', /name that needs DNS/],
    ...['0.0.0.0:80', '169.254.169.254:80', '224.0.0.1:80', '255.255.255.255:80', '[::]:80', '[fe80::1]:80'].map(
      (text): [string, RegExp] => [text, /not allowed/],
    ),
    ...[
      '[::ffff:169.254.169.254]:80',
      '[::ffff:a9fe:a9fe]:80',
      '[0:0:0:0:0:ffff:a9fe:a9fe]:80',
      '[::a9fe:a9fe]:80',
    ].map((text): [string, RegExp] => [text, /not allowed/]),
    ...['[64:ff9b::a9fe:a9fe]:80', '[2002:a9fe:a9fe::]:80', '[ff02::1]:80', '[fd00:ec2::254]:80'].map(
      (text): [string, RegExp] => [text, /not allowed/],
    ),
    ...[
      '100.100.100.200:80',
      '168.63.129.16:32526',
      '192.0.0.192:80',
      '[fd00:EC2:0::23]:80',
      '[fd20:ce::254]:80',
      '[fd00:c1::a9fe:a9fe]:80',
      '[fd00:42::42]:80',
      '[fd00:a9fe:a9fe::1]:80',
      '[2001:0:a9fe:a9fe::]:80',
      '[fec0::1]:80',
      '240.0.0.1:80',
    ].map((text): [string, RegExp] => [text, /where a cloud serves credentials/]),
  ]
  for (const [text, why] of wrong) {
    it(`are not ${text || 'nothing'}`, () => {
      const reading = readRouteTarget(text)
      assert.ok(!reading.ok && why.test(reading.problem) && reading.fix !== '', JSON.stringify(reading))
    })
  }

  it('are read back from their text, and never contain a path, whatever the input', () => {
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

describe('dynamic-routes/context', () => {
  const obstacle = (host: string, target: string) => findRouteObstacle(host, routeOf(target), context)?.problem ?? ''

  it('accepts an app, an upstream or an address', () => {
    for (const target of ['web', 'legacy', '10.0.0.2:80', '127.0.0.1:81']) assert.equal(obstacle('a.test', target), '')
  })

  it('explains why another target cannot work', () => {
    assert.match(obstacle('www.example.com', 'web'), /^www\.example\.com is in the configuration/)
    assert.match(obstacle('a.b.example.org', 'web'), /^\*\.example\.org, which matches a\.b\.example\.org/)
    assert.match(obstacle('a.test', 'nobody'), /not an app or upstream/)
    assert.match(obstacle('a.test', 'docs'), /directory of static files/)
    assert.match(obstacle('a.test', '127.0.0.1:80'), /nginx itself/)
  })

  it('accepts only addresses in the allowed networks, and every app and upstream', () => {
    const limited = { ...context, networks: ['10.1.0.0/16', '2001:db8::/32', '192.168.0.7'] }
    const problemOf = (target: string) => findRouteObstacle('a.test', routeOf(target), limited)?.problem
    for (const target of ['web', 'legacy', '10.1.2.3:80', '[2001:DB8::7]:80', '192.168.0.7:80'])
      assert.equal(problemOf(target), undefined, target)
    for (const target of ['10.2.0.1:80', '[2001:db9::7]:80', '192.168.0.8:80', '127.0.0.1:81'])
      assert.match(problemOf(target) ?? '', /is not in dynamic_routes\.allow \(10\.1\.0\.0\/16, /, target)
    assert.equal(encodeRoute(routeOf('10.2.0.1:80'), limited), 'none')
  })

  it('encodes targets for nginx, and none for those that do not exist', () => {
    const texts = ['web', 'legacy', '[2001:db8::2]:80', 'nobody', 'docs', '127.0.0.1:80']
    assert.deepEqual(
      texts.map(text => encodeRoute(routeOf(text), context)),
      ['app:web', 'upstream:legacy', 'address:[2001:db8::2]:80', 'none', 'none', 'none'],
    )
  })
})

describe('dynamic-routes/file-format', () => {
  it('reads hosts with targets, and rejects invalid entries', () => {
    const { routes, rejected } = readRouteFile(
      '{"a.test": "web", "B.test": "10.0.0.2:80", "b.test": "web", "c": "web", "d.test": 1, "__proto__": "web", "e.test": "\\u0000"}',
    )
    assert.deepEqual([...routes.keys()], ['a.test', 'b.test'])
    assert.deepEqual(rejected, [
      'b.test: appears twice',
      'c: is a single word',
      'd.test: 1 is not a valid target',
      '__proto__: is a single word',
      'e.test: "\\u0000" is not a valid target',
    ])
  })

  for (const text of ['', '{', '[]', 'null', '"x"', '{"a.test": "web",}'])
    it(`rejects ${text || 'an empty file'} as a whole`, () => assert.throws(() => readRouteFile(text)))

  it('keeps invalid entries when another entry changes', () => {
    const { entries } = readRouteFile('{"B.test": "web", "oops": 1, "a.test": "web"}')
    assert.equal(
      writeRouteFile(entries, new Map([['b.test', routeOf('10.0.0.2:80')]])),
      '{\n  "a.test": "web",\n  "b.test": "10.0.0.2:80",\n  "oops": 1\n}\n',
    )
    assert.equal(writeRouteFile(entries, new Map([['b.test', undefined]])), '{\n  "a.test": "web",\n  "oops": 1\n}\n')
  })

  it('throws only an Error, whatever the input, and reads back what it wrote', () => {
    fc.assert(
      fc.property(fc.json(), fc.domain(), (text, host) => {
        let file: ReturnType<typeof readRouteFile>
        try {
          file = readRouteFile(text)
        } catch (error) {
          return void assert.ok(error instanceof Error)
        }
        const again = readRouteFile(writeRouteFile(file.entries, new Map([[host, routeOf('web')]])))
        assert.deepEqual(again.routes.get(host), routeOf('web'))
      }),
    )
  })

  it('reads again only what has changed', () => {
    const before = readRouteFile(
      '{"same.test": "web", "moved.test": "web", "gone.test": "web", "set.test": {"targets": "web"}}',
    )
    const text = '{"same.test": "web", "moved.test": "legacy", "SAME.test": "web", "set.test": {"targets": "web"}}'
    const after = readRouteFile(text, before)
    assert.deepEqual(after, readRouteFile(text))
    assert.equal(after.routes.get('same.test'), before.routes.get('same.test'))
    assert.deepEqual([...changedRoutes(before.routes, after.routes).keys()].sort(), ['gone.test', 'moved.test'])
  })

  it('reports what changed', () => {
    const before = readRouteFile('{"same.test": "web", "moved.test": "web", "gone.test": "web"}').routes
    const after = readRouteFile('{"same.test": "web", "moved.test": "legacy", "new.test": "web"}').routes
    assert.deepEqual(
      [...changedRoutes(before, after)].map(([host, target]) => [host, target && formatRoute(target)]).sort(),
      [
        ['gone.test', undefined],
        ['moved.test', 'legacy'],
        ['new.test', 'web'],
      ],
    )
  })
})
