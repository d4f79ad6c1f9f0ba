import assert from 'node:assert/strict'
import http from 'node:http'
import { describe, it } from 'node:test'
import { type Monohull, startMonohull } from './monohull.ts'

const program = `require('node:http')
  .createServer((request, response) => {
    const size = Number(new URL(request.url, 'http://a').searchParams.get('size'))
    for (let left = size; left > 0; left -= 3900) response.appendHeader('Set-Cookie', 'a=' + 'x'.repeat(Math.min(3900, left)))
    response.end(JSON.stringify({ host: request.headers.host, version: request.httpVersion, raw: request.rawHeaders.length }))
  })
  .listen(3000)
`

/** Status of a response with cookies of this size, and the JSON in its body. */
function ask(monohull: Monohull, path: string, kilobytes: number): Promise<{ status: number; body: string }> {
  const port = monohull.instance().httpPort
  return new Promise((resolve, reject) => {
    const url = `http://127.0.0.1:${port}${path}?size=${kilobytes * 1024}`
    const request = http.get(url, { maxHeaderSize: 2 ** 21, agent: false, timeout: 20_000 }, response => {
      let body = ''
      response.on('data', piece => {
        body += piece
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }))
    })
    request.on('timeout', () => request.destroy(new Error('no response in time')))
    request.on('error', reject)
  })
}

const start = (routes: string) => `https: off\nroutes:\n  - { app: app }\n${routes}`

describe('heads of responses', () => {
  it('may have 64 KB, and more or less on a route; a snippet may say so too', async t => {
    const monohull = startMonohull(t, {
      args: ['run', 'node', 'server.cjs'],
      files: {
        'server.cjs': program,
        'size.conf': 'proxy_buffer_size 128k;\n',
        'own.conf':
          'proxy_http_version 1.0; proxy_set_header Host inner.test;\nproxy_buffering on;\nproxy_buffers 4 8k;\nproxy_next_upstream off;\n',
        'monohull.yaml': start(`  - { path: /large, app: app, response_header_size: 300k }
  - { path: /small, app: app, response_header_size: 8k }
  - { path: /snippet, app: app, snippet: size.conf }
  - { path: /own, app: app, snippet: own.conf, response_header_size: 16k }
  - { path: /cached, app: app, cache: { ttl: 1m } }
`),
      },
    })
    await monohull.serving()
    const statuses = async (...cases: [string, number][]) =>
      Promise.all(cases.map(async ([path, size]) => (await ask(monohull, path, size)).status))
    assert.deepEqual(await statuses(['/', 20], ['/', 60], ['/', 70], ['/cached', 60]), [200, 200, 502, 200])
    assert.deepEqual(await statuses(['/large', 280], ['/large', 320]), [200, 502])
    assert.deepEqual(await statuses(['/small', 4], ['/small', 20]), [200, 502])
    assert.deepEqual(await statuses(['/snippet', 120], ['/snippet', 140]), [200, 502])
    const { status, body } = await ask(monohull, '/own', 1)
    const own = JSON.parse(body)
    assert.deepEqual([status, own.host, own.version], [200, 'inner.test', '1.0'])
  })

  for (const [directive, key] of [
    ['proxy_read_timeout 5s', 'read_timeout'],
    ['proxy_pass http://app_app', 'app or upstream'],
  ])
    it(`${directive} in a snippet beside a key leads to the key`, async t => {
      const monohull = startMonohull(t, {
        args: ['check'],
        files: {
          'own.conf': `${directive};\n`,
          'monohull.yaml': start('  - { path: /a, app: app, read_timeout: 9s, snippet: own.conf }\n'),
        },
      })
      assert.equal(await monohull.exited, 78)
      assert.match(monohull.output(), new RegExp(`remove ${directive?.split(' ')[0]} from the snippet.*key ${key}`))
    })
})
