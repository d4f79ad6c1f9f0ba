import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { routesByHost } from '../../../supervisor/routes/route.ts'
import { routeTo, toApp } from '../../routes.ts'

describe('routes/route: routesByHost', () => {
  const route = (host: string | undefined, path: string, app: string) => routeTo(toApp(app), { host, path })

  it('gives a host its own routes, then those for any host', () => {
    const routes = [
      route(undefined, '/', 'web'),
      route('a.example', '/', 'a'),
      route(undefined, '/api', 'api'),
      route('b.example', '/x', 'b'),
    ]
    const told = routesByHost(routes).map(site => [
      site.host,
      ...site.routes.map(({ path, target }) => `${path} ${target.kind === 'app' && target.name}`),
    ])
    assert.deepEqual(told, [
      [undefined, '/ web', '/api api'],
      ['a.example', '/ a', '/api api'],
      ['b.example', '/x b', '/ web', '/api api'],
    ])
  })

  it('gives a host the routes of matching wildcards, the most specific first, before those for any host', () => {
    const routes = [
      route(undefined, '/', 'web'),
      route('*.example', '/', 'all'),
      route('*.example', '/api', 'api'),
      route('*.a.example', '/', 'a'),
      route('b.a.example', '/own', 'b'),
      route('example', '/own', 'bare'),
    ]
    const told = routesByHost(routes).map(site => [
      site.host,
      ...site.routes.map(({ path, target }) => `${path} ${target.kind === 'app' && target.name}`),
    ])
    assert.deepEqual(told.slice(1), [
      ['*.example', '/ all', '/api api'],
      ['*.a.example', '/ a', '/api api'],
      ['b.a.example', '/own b', '/ a', '/api api'],
      ['example', '/own bare', '/ web'],
    ])
  })
})
