import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ServedRoute } from '../../../supervisor/routes/route.ts'
import type { NginxModel } from '../../../supervisor/site/model.ts'
import { renderNginx } from '../../../supervisor/site/render.ts'
import { routeTo, toApp } from '../../routes.ts'
import { plainModel } from '../site/nginx-models/plain-model.ts'

const include = 'include snippets/proxy.conf;'

/** The site of these routes to the app of the plain model, whose failed requests the supervisor decides about. */
function siteOf(routes: ServedRoute[], change: Partial<NginxModel> = {}): string {
  const model = { ...plainModel, retrySocket: '/run/retry.sock', routes, ...change }
  return renderNginx(model).get('rendered/site.conf') ?? ''
}

function countOf(text: string, part: string): number {
  return text.split(part).length - 1
}

describe('locations of many routes', () => {
  const paths = ['/', '/a', '/b', '/c']
  const plain = paths.map(path => routeTo(toApp('app'), { path }))

  it('share the settings for the app, and one location for another try', () => {
    const site = siteOf(plain)
    assert.equal(countOf(site, include), 1)
    assert.equal(countOf(site, 'location @monohull_retry_'), 1)
    assert.equal(countOf(site, '"app @monohull_retry_0'), 1 + 2 * 3 + 1)
  })

  it('have another location for another try where anything in it differs', () => {
    const slow = routeTo(toApp('app', { readTimeoutMs: 90_000 }), { path: '/slow' })
    assert.equal(countOf(siteOf([...plain, slow]), 'location @monohull_retry_'), 2)
  })

  it('repeat the settings where a location sets a header', () => {
    const site = siteOf([...plain, routeTo(toApp('app', { stripsPrefix: true }), { path: '/strip' })])
    // the server, the two locations of the route, and two for another try
    assert.equal(countOf(site, include), 5)
  })

  it('share that the password of the whole front is kept from the app, except where a route differs', () => {
    const basicAuth = { file: '/app/staff', realm: 'Staff', forwards: false }
    const front = { ...plainModel.front, access: { ...plainModel.front.access, basicAuth } }
    const kept = 'proxy_set_header Authorization $monohull_authorization;'
    const all = siteOf(plain, { front })
    assert.deepEqual([countOf(all, include), countOf(all, kept)], [1, 1])
    const open = routeTo(toApp('app'), { path: '/open', rules: { basicAuth: 'off' } })
    const some = siteOf([...plain, open], { front })
    // the two locations of the route, and one for another try
    assert.deepEqual([countOf(some, include), countOf(some, kept)], [1 + 3, 1])
    const told = routeTo(toApp('app'), { path: '/own', rules: { basicAuth } })
    assert.equal(countOf(siteOf([...plain, told]), kept), 3)
  })

  it("repeat the settings everywhere beside the user's own locations that proxy, and not beside others", () => {
    const own = (text: string) => siteOf(plain, { ownFiles: new Map([['/app/nginx/server.d/own.conf', text]]) })
    assert.equal(countOf(own('location /own { proxy_pass http://other.test; }'), include), 8)
    assert.equal(countOf(own('proxy_set_header X-Own 1;'), include), 8)
    assert.equal(countOf(own('location /own { return 204; }'), include), 1)
  })
})
