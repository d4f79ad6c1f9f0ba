import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { createFileRoutes } from '../../../supervisor/dynamic-routes/file-store.ts'
import { createRouteOperations } from '../../../supervisor/dynamic-routes/operations.ts'
import { matchesPattern } from '../../../supervisor/dynamic-routes/pattern.ts'
import { context } from './route-context.ts'

function setUp(routes: object) {
  const disk = { text: JSON.stringify(routes), writes: 0 }
  const store = createFileRoutes({
    file: {
      path: 'routes.json',
      read: () => disk.text,
      write(text) {
        disk.text = text
        disk.writes++
      },
    },
    log: { debug() {}, info() {}, warn() {}, error() {} } as never,
    onChange: async () => {},
  })
  return { disk, routes: createRouteOperations({ store, context: () => context }) }
}

describe('dynamic-routes/operations', () => {
  it('shows the route that a host gets, with its origin', async () => {
    const { routes } = setUp({ 'a.test': 'web', '*.b.test': 'nobody' })
    assert.deepEqual(await routes.get('A.test'), {
      host: 'a.test',
      target: 'web',
      name: 'a.test',
      source: 'routes.json',
    })
    assert.deepEqual(await routes.get('x.b.test'), {
      host: 'x.b.test',
      target: 'nobody',
      problem: 'nobody is not an app or upstream of the configuration',
      name: '*.b.test',
      source: 'routes.json',
    })
    assert.equal(await routes.get('c.test'), undefined)
    await assert.rejects(routes.get('c'), /host "c" is a single word/)
  })

  it('says that the value of a host is rejected, and removes it', async () => {
    const { disk, routes } = setUp({ 'a.test': 'rubbish!', '*.b.test': 'web', 'x.b.test': '' })
    await assert.rejects(routes.get('A.test'), /^Error: the value of a\.test was rejected: .*; .+/)
    const { name, problem = '' } = (await routes.get('x.b.test')) ?? assert.fail()
    assert.deepEqual([name, /the value of x\.b\.test was rejected/.test(problem)], ['*.b.test', true])
    assert.equal(await routes.get('c.test'), undefined)
    assert.ok((await routes.remove('a.test')).ok)
    assert.equal('a.test' in JSON.parse(disk.text), false)
    assert.match(JSON.stringify(await routes.remove('a.test')), /a\.test has no route/)
  })

  it('imports lines and JSON at once, and says what was there before', async () => {
    const { disk, routes } = setUp({ 'a.test': 'web', 'b.test': 'web' })
    const lines = '# mine\r\n\r\na.test legacy\r\nB.test web\r\n  c.test 10.0.0.2:80 10.0.0.3:80 weight=2  \r\n'
    assert.deepEqual(await routes.importText(lines), {
      ok: true,
      message: '3 routes imported: 1 new, 1 changed, 1 as before\n  a.test: legacy (before: web)',
    })
    const all = { 'a.test': 'legacy', 'b.test': 'web', 'c.test': '10.0.0.2:80 10.0.0.3:80 weight=2' }
    assert.deepEqual([JSON.parse(disk.text), disk.writes, await routes.exportAll()], [all, 1, all])
    const again = await setUp({}).routes.importText(JSON.stringify(await routes.exportAll()))
    const nested = { 'a.test': { targets: ['web', 'legacy'], sticky: true }, 'b.test': { targets: '}{"a.test": web' } }
    const { message = '' } = await setUp({}).routes.importText(JSON.stringify({ 'a.test': nested['a.test'] }))
    assert.equal(message, '1 route imported: 1 new, 0 changed, 0 as before')
    const outcome = await setUp({}).routes.importText(JSON.stringify(nested))
    assert.ok(!outcome.ok && !/appears twice/.test(outcome.reason), JSON.stringify(outcome))
    assert.deepEqual(again, { ok: true, message: '3 routes imported: 3 new, 0 changed, 0 as before' })
  })

  it('imports nothing if one of the routes cannot work', async () => {
    const { disk, routes } = setUp({})
    for (const [text, says] of [
      ['a.test web\nb.test', /b\.test: "" is not a valid target/],
      ['a.test web\na.test legacy', /a\.test: appears twice/],
      ['{"a.test": "web", "b.test": {"targets": "web"}, "\\u0061.test" : "legacy"}', /a\.test: appears twice/],
      ['a.test web\nb.test nobody', /b\.test: nobody is not an app/],
      ['a.test web\nwww.example.com web', /is in the configuration/],
      ['{"a.test": "web",}', /the file is not JSON/],
      [Array.from({ length: 30 }, (_, index) => `h${index}`).join('\n'), /h19: is a single word\n {2}… 10 more/],
    ] as const) {
      const outcome = await routes.importText(text)
      assert.ok(!outcome.ok && says.test(outcome.reason), JSON.stringify(outcome))
      assert.match(outcome.reason, /nothing was imported/)
    }
    assert.deepEqual([disk.text, disk.writes], ['{}', 0])
  })

  it('lists the hosts that match a pattern', async () => {
    const { routes } = setUp({ 'a.shop.test': 'web', 'shop.test': 'web', '*.shop.test': 'web' })
    const hosts = async (pattern?: string) => (await routes.list(pattern)).map(({ host }) => host)
    assert.deepEqual(await hosts('*.SHOP.test'), ['a.shop.test', '*.shop.test'])
    assert.deepEqual(await hosts('shop.test'), ['shop.test'])
    assert.equal((await hosts()).length, 3)
  })
})

describe('dynamic-routes/pattern', () => {
  it('agrees with a regular expression', () => {
    const text = fc.array(fc.constantFrom('a', 'b', '.'), { maxLength: 8 }).map(parts => parts.join(''))
    const pattern = fc.array(fc.constantFrom('a', 'b', '.', '*'), { maxLength: 6 }).map(parts => parts.join(''))
    fc.assert(
      fc.property(text, pattern, (name, glob) => {
        const expression = new RegExp(`^${glob.replaceAll('.', '\\.').replaceAll('*', '.*')}$`)
        assert.equal(matchesPattern(name, glob), expression.test(name))
      }),
      { numRuns: 3000 },
    )
  })
})
