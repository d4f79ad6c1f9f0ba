import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { bytesOf, cacheName, isUnder, keyMegabytes } from '../../../supervisor/front/cache/cache.ts'

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

  it('has room for the keys of as many of the smallest files as fit', () => {
    for (const size of ['1m', '256m', '3g']) {
      const bytesPerKey = (keyMegabytes(size) * 1024 ** 2) / (bytesOf(size) / 4096)
      assert.ok(bytesPerKey >= 132, `${size}: ${bytesPerKey}`)
    }
  })

  it('names the cache of a route by host, match and path', () => {
    const route = { host: 'a.example', match: 'prefix', path: '/' }
    const names = [route, { ...route, host: undefined }, { ...route, match: 'exact' }, { ...route, path: '/a' }]
    assert.equal(new Set(names.map(cacheName)).size, names.length)
    assert.equal(cacheName(route), cacheName({ ...route }))
    for (const name of names.map(cacheName)) assert.match(name, /^[a-z0-9]+$/)
  })
})
