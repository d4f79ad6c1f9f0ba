import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { shutdownTimeoutSeconds } from '../../../supervisor/site/shutdown.ts'
import { routeTo, toApp, toFiles, toUpstream } from '../../routes.ts'

describe('site/shutdown: shutdownTimeoutSeconds', () => {
  const secondsFor = (graces: number[], ...targets: Parameters<typeof routeTo>[0][]) =>
    shutdownTimeoutSeconds({ graces, routes: targets.map(target => routeTo(target)), dynamicRoutes: undefined })

  it('is the graceful_timeout of the apps', () => {
    assert.equal(secondsFor([8000, 2500], toApp('app', { readTimeoutMs: 300_000 })), 8)
    assert.equal(secondsFor([2500], toApp('app')), 3)
    assert.equal(secondsFor([90_000], toUpstream('legacy')), 90)
  })

  it('is a minute for downloads and upstreams, or a longer read_timeout', () => {
    assert.equal(secondsFor([8000], toApp('app'), toFiles('/srv/site')), 60)
    assert.equal(secondsFor([], toUpstream('legacy', { readTimeoutMs: 500 })), 60)
    assert.equal(secondsFor([], toUpstream('legacy', { readTimeoutMs: 300_000 })), 300)
    const dynamicRoutes = { storeSocket: '/run/x', served: [] } as never
    assert.equal(shutdownTimeoutSeconds({ graces: [8000], routes: [], dynamicRoutes }), 60)
  })

  it('is a second if every response is immediate', () => {
    assert.equal(secondsFor([], { kind: 'response', status: 200, body: 'x', contentType: 'text/plain' }), 1)
  })
})
