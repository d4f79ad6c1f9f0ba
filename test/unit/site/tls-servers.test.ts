import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { OnDemand } from '../../../supervisor/certificates/on-demand/handshake.ts'
import { type Site, tlsServers } from '../../../supervisor/site/tls-servers.ts'

const set = (id: string, ...names: string[]) => ({ names, files: [{ chain: id, key: '' }] })
const anywhere: Site = { host: undefined, file: 'site' }

/** `names: certificate, site` of each server. */
function servers(sets: ReturnType<typeof set>[], hosts: string[] = [], onDemand: OnDemand | undefined = undefined) {
  const [fallback = set('none'), ...named] = sets
  const sites = [anywhere, ...hosts.map(host => ({ host, file: `site ${host}` }))]
  return tlsServers({ certificates: { fallback, named }, onDemand }, sites).map(
    ({ isDefault, isOnDemand, wildcard, names, certificates, file }) =>
      `${isOnDemand ? 'asks ' : ''}${wildcard ? `but for ${wildcard} ` : ''}${isDefault ? 'default ' : ''}${names.join(' ')}: ${certificates[0]?.chain}, ${file}`,
  )
}

describe('site/tls-servers', () => {
  it('is one server for one certificate, whatever its names', () => {
    assert.deepEqual(servers([set('a', 'a.test', 'b.test')]), ['default : a, site'])
  })

  it('is one for each certificate set; then the default server has names too', () => {
    assert.deepEqual(servers([set('a', 'a.test'), set('b', '*.test', 'b.test')]), [
      'default a.test: a, site',
      '*.test b.test: b, site',
    ])
  })

  it('is one for each site', () => {
    assert.deepEqual(servers([set('a', 'a.test')], ['api.test']), ['default : a, site', 'api.test: a, site api.test'])
  })

  it('is one for each pair of certificate and site that share a name', () => {
    const sets = [set('a', 'a.test', 'www.b.test'), set('b', 'b.test', '*.b.test')]
    assert.deepEqual(servers(sets, ['api.b.test', '*.b.test', 'other.test', 'b.test']), [
      'default a.test: a, site',
      'www.b.test: a, site *.b.test',
      'b.test: b, site b.test',
      '*.b.test: b, site *.b.test',
      'api.b.test: b, site api.b.test',
      'other.test: a, site other.test',
    ])
  })

  it('uses the longest wildcard of any depth for the site, and of one label for the certificate', () => {
    assert.deepEqual(servers([set('a'), set('b', 'x.y.b.test', '*.b.test')], ['*.test', '*.y.b.test', 'q.y.b.test']), [
      'default : a, site',
      'x.y.b.test: b, site *.y.b.test',
      '*.b.test: b, site *.test',
      '*.test: a, site *.test',
      '*.y.b.test: a, site *.y.b.test',
      'q.y.b.test: a, site q.y.b.test',
    ])
  })

  it('requests certificates on demand only for names that no certificate covers', () => {
    const sets = [set('a', 'a.test'), set('b', '*.b.test')]
    assert.deepEqual(servers(sets, ['other.test', 'x.b.test'], { directory: '', socket: '' }), [
      'asks default : a, site',
      'a.test: a, site',
      'asks but for *.b.test *.b.test: b, site',
      'asks other.test: a, site other.test',
      'x.b.test: b, site x.b.test',
    ])
  })

  it('has a server for each wildcard that may need certificates for deeper names', () => {
    const sets = [set('a', 'a.test', '*.a.test'), set('b', 'b.test', '*.b.test', '*.c.test')]
    assert.deepEqual(servers(sets, ['*.b.test', 'q.x.b.test'], { directory: '', socket: '' }), [
      'asks default : a, site',
      'a.test: a, site',
      'asks but for *.a.test *.a.test: a, site',
      'b.test: b, site',
      'asks but for *.b.test *.b.test: b, site *.b.test',
      'asks but for *.c.test *.c.test: b, site',
      'asks q.x.b.test: a, site q.x.b.test',
    ])
  })

  it('renders without a certificate, for tests by nginx', () => {
    assert.equal(tlsServers({ certificates: undefined, onDemand: undefined }, [anywhere]).length, 1)
  })
})
