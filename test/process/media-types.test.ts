import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { defer, fixture, startMonohull } from './monohull.ts'

/** A server that answers with the type in the query. */
async function startUpstream(t: TestContext): Promise<number> {
  const server = http.createServer((request, response) => {
    const type = new URL(request.url ?? '', 'http://a').searchParams.get('type')
    if (type) response.setHeader('content-type', type)
    response.end('Köln')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  defer(t, () => server.close())
  return (server.address() as AddressInfo).port
}

describe('media types', () => {
  it('of apps, upstreams, dynamic hosts and the cache arrive as they were sent', async t => {
    const port = await startUpstream(t)
    const monohull = startMonohull(t, {
      env: { MONOHULL_WORKERS: '1', MONOHULL_DIRECTORY: undefined },
      files: {
        'state/routes.json': JSON.stringify({ 'shop.example.com': 'app', 'far.example.com': `127.0.0.1:${port}` }),
        'accel/a.html': 'Köln',
        'nginx/server.d/own.conf': `location /own { proxy_pass http://127.0.0.1:${port}; }\n`,
        'monohull.yaml': `https: off
server_names: [www.example.com]
dynamic_routes: { store: file }
send_files: { /accel/: accel }
error_pages: { 404: accel/a.html }
app: { command: [node, ${fixture('answers.cjs')}] }
upstreams: { old: { servers: ["127.0.0.1:${port}"] } }
routes:
  - { app: app }
  - { path: /upstream, upstream: old }
  - { path: /cached, upstream: old, cache: { ttl: 1h } }
`,
      },
    })
    await monohull.serving()
    const typeOf = async (path: string, host = 'www.example.com') =>
      (await monohull.request({ path, scheme: 'http', headers: { host } })).headers['content-type']

    for (const type of ['text/html', 'text/plain', 'text/css', 'text/xml', 'application/json', 'text/javascript']) {
      const [byHeader, byType] = [`?header=content-type:${type}`, `?type=${type}`]
      assert.equal(await typeOf(`/${byHeader}`), type)
      assert.equal(await typeOf(`/${byHeader}`, 'shop.example.com'), type)
      assert.equal(await typeOf(`/${byType}`, 'far.example.com'), type)
      for (const path of ['/upstream', '/cached', '/cached', '/own']) assert.equal(await typeOf(path + byType), type)
    }
    assert.equal(await typeOf('/upstream?type=text/html;%20charset=iso-8859-1'), 'text/html; charset=iso-8859-1')
    assert.equal(await typeOf('/upstream'), undefined)
    assert.equal(await typeOf('/?header=content-type:text/html&header=x-accel-redirect:/accel/a.html'), 'text/html')
  })

  it('of files and of the pages of nginx have a charset, where they are text', async t => {
    const expected = {
      'a.html': 'text/html; charset=utf-8',
      'a.txt': 'text/plain; charset=utf-8',
      'a.csv': 'text/csv; charset=utf-8',
      'a.vtt': 'text/vtt; charset=utf-8',
      'a.ics': 'text/calendar; charset=utf-8',
      'a.MD': 'text/markdown; charset=utf-8',
      'a.js': 'text/javascript; charset=utf-8',
      'a.jsonl': 'application/jsonl; charset=utf-8',
      'a.geojson': 'application/geo+json',
      'a.glb': 'model/gltf-binary',
      'a.opus': 'audio/ogg',
      'a.epub': 'application/epub+zip',
      'a.xml': 'application/xml',
      'a.unknown': 'application/octet-stream',
      a: 'application/octet-stream',
    }
    const monohull = startMonohull(t, {
      env: { MONOHULL_DIRECTORY: undefined },
      files: {
        ...Object.fromEntries(Object.keys(expected).map(name => [`public/${name}`, 'Köln'])),
        'monohull.yaml': `https: off
upstreams: { gone: { servers: ["127.0.0.1:1"] } }
routes:
  - { files: { root: public } }
  - { path: /gone, upstream: gone }
  - { path: /text, response: { body: Köln } }
`,
      },
    })
    await monohull.serving()
    const typeOf = async (path: string) => (await monohull.request({ path, scheme: 'http' })).headers['content-type']
    const found = await Promise.all(Object.keys(expected).map(async name => [name, await typeOf(`/${name}`)]))
    assert.deepEqual(Object.fromEntries(found), expected)
    assert.equal(await typeOf('/gone'), 'text/html; charset=utf-8')
    assert.equal(await typeOf('/text'), 'text/plain; charset=utf-8')
  })
})
