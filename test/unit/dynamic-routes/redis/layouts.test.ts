import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { readHipacheList } from '../../../../supervisor/dynamic-routes/redis/hipache.ts'
import { readTraefikKeys } from '../../../../supervisor/dynamic-routes/redis/traefik.ts'
import { formatRoute } from '../../../../supervisor/dynamic-routes/route.ts'

const hipache = (...list: string[]) => {
  const reading = readHipacheList(list)
  return reading.ok ? formatRoute(reading.value) : reading.problem
}

describe('dynamic-routes/redis/hipache', () => {
  it('reads the servers after the identifier; one that is listed twice counts twice', () => {
    assert.equal(hipache('id', 'http://10.0.0.2:80'), '10.0.0.2:80')
    assert.equal(
      hipache('id', 'http://10.0.0.2', '10.0.0.3:81/', 'http://10.0.0.2:80/'),
      '10.0.0.2:80 weight=2 10.0.0.3:81',
    )
    assert.equal(hipache('id', 'http://[2001:db8::2]:8080'), '[2001:db8::2]:8080')
  })

  const wrong: [string[], RegExp][] = [
    [['id'], /no server after its identifier/],
    [[], /no server after its identifier/],
    [['id', 'https://10.0.0.2'], /https, which is not supported/],
    [['id', 'http://10.0.0.2/path'], /not http:\/\/ADDRESS:PORT/],
    [['id', 'http://user@10.0.0.2'], /not http:\/\/ADDRESS:PORT/],
    [['id', 'http://169.254.169.254'], /credentials/],
    [['id', 'http://backend:80'], /needs DNS/],
    [['id', '10.0.0.2:80 weight=2'], /not http:\/\/ADDRESS:PORT/],
  ]
  for (const [list, problem] of wrong) it(`rejects ${list.at(-1)}`, () => assert.match(hipache(...list), problem))
})

function traefik(entries: Record<string, string>) {
  const { routes, ignored } = readTraefikKeys(new Map(Object.entries(entries)))
  return {
    routes: Object.fromEntries([...routes].map(([host, route]) => [host, formatRoute(route)])),
    ignored: Object.fromEntries(ignored),
  }
}

const service = {
  'http/services/s/loadBalancer/servers/0/url': 'http://10.0.0.2:80',
  'http/services/s/loadbalancer/servers/1/url': 'http://10.0.0.3:80/',
  'http/services/s/loadbalancer/servers/1/weight': '3',
}
const router = (rule: string, more: Record<string, string> = {}) => ({
  ...service,
  'http/routers/R/rule': rule,
  'http/routers/R/service': 'S@redis',
  ...more,
})

describe('dynamic-routes/redis/traefik', () => {
  it('reads routers of hosts, whatever the letter case of the keys', () => {
    const target = '10.0.0.2:80 10.0.0.3:80 weight=3'
    for (const rule of [
      'Host(`A.test`) || Host(`b.test`)',
      'Host(`a.test`, `b.test`)',
      '(Host("a.test")) || Host(`b.test`)',
    ])
      assert.deepEqual(traefik(router(rule)), { routes: { 'a.test': target, 'b.test': target }, ignored: {} }, rule)
    const sticky = { 'http/services/s/loadbalancer/sticky/cookie/name': 'x', 'http/routers/r/entrypoints/0': 'web' }
    assert.deepEqual(traefik(router('Host(`a.test`)', sticky)).routes, { 'a.test': `${target}, sticky` })
  })

  const ignored: [Record<string, string>, RegExp][] = [
    [router('Host(`a.test`) && PathPrefix(`/api`)'), /a rule that is not only Host/],
    [router('HostRegexp(`.*`)'), /a rule that is not only Host/],
    [router('!Host(`a.test`)'), /a rule that is not only Host/],
    [router(''), /a rule that is not only Host/],
    [router('Host(`a.test`) || Host(`x`)'), /a rule that is not only Host/],
    [router('Host(`a.test`)', { 'http/routers/r/middlewares/0': 'auth' }), /has middlewares, which is not supported/],
    [router('Host(`a.test`)', { 'http/routers/r/service': 'gone' }), /service gone, which has no servers/],
    [
      router('Host(`a.test`)', { 'http/services/s/loadbalancer/servers/0/url': 'http://169.254.169.254' }),
      /credentials/,
    ],
    [router('Host(`a.test`)', { 'http/services/s/loadbalancer/servers/0/url': 'https://10.0.0.2' }), /https, which/],
  ]
  for (const [entries, problem] of ignored)
    it(`leaves a router out that ${problem.source}: ${JSON.stringify(entries).slice(-60)}`, () => {
      const found = traefik(entries)
      assert.deepEqual(found.routes, {})
      assert.match(found.ignored.r ?? '', problem)
    })

  it('leaves a router without a rule out, which may be written in a moment', () => {
    const { ignored } = traefik({ ...service, 'http/routers/r/service': 's' })
    assert.deepEqual(ignored, { r: 'has no rule' })
  })

  it('gives a host to one router, and names the other', () => {
    const found = traefik({
      ...router('Host(`a.test`)'),
      'http/routers/z/rule': 'Host(`a.test`)',
      'http/routers/z/service': 's',
    })
    assert.deepEqual(
      [Object.keys(found.routes), found.ignored],
      [['a.test'], { z: 'has the host a.test, which another router has' }],
    )
  })

  it('never throws, whatever the keys and values are', () => {
    const part = fc.constantFrom(
      'http',
      'routers',
      'services',
      'r',
      's',
      'rule',
      'service',
      'loadbalancer',
      'servers',
      '0',
      'url',
      '__proto__',
      '',
    )
    const key = fc.array(part, { maxLength: 7 }).map(parts => parts.join('/'))
    const value = fc.oneof(fc.string(), fc.constantFrom('Host(`a.test`)', 's', 'http://10.0.0.2:80', '__proto__'))
    fc.assert(
      fc.property(fc.array(fc.tuple(key, value)), entries => void readTraefikKeys(new Map(entries))),
      { numRuns: 2000 },
    )
  })
})
