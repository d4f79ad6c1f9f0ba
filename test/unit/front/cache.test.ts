import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { bytesOf, cacheName, isUnder } from '../../../supervisor/front/cache/cache.ts'

describe('front/cache', () => {
  for (const [key, prefix, matches] of [
    ['https://a.example/blog/1', '/blog', true],
    ['https://a.example/shop?to=/blog', '/blog', false],
    ['https://a.example/blog/1', 'https://a.example/', true],
    ['https://a.example/blog/1', 'https://b.example/', false],
    // of keys that the configuration has
    ['a.example/blog/1', '/blog', true],
    ['httpsa.example/blog/1', '/blog', true],
    ['/blog/1', '/blog', true],
    ['a.example/blog/1', 'a.example/blog', true],
    ['a.example/x/blog/1', '/blog', false],
  ] as const) {
    it(`${matches ? 'purges' : 'keeps'} ${key} for ${prefix}`, () => assert.equal(isUnder(key, prefix), matches))
  }

  it('reads sizes', () => {
    assert.deepEqual(['1k', '256m', '4g'].map(bytesOf), [1024, 256 << 20, 4 * 1024 ** 3])
  })

  it('names the cache of a route by host, match and path', () => {
    const route = { host: 'a.example', match: 'prefix', path: '/' }
    const names = [route, { ...route, host: undefined }, { ...route, match: 'exact' }, { ...route, path: '/a' }]
    assert.equal(new Set(names.map(cacheName)).size, names.length)
    assert.equal(cacheName(route), cacheName({ ...route }))
    for (const name of names.map(cacheName)) assert.match(name, /^[a-z0-9]+$/)
  })
})
