// needs: libnginx-mod-http-brotli-filter
import assert from 'node:assert/strict'
import { type IncomingHttpHeaders, request } from 'node:http'
import { describe, it } from 'node:test'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { ask, fixture, startMonohull } from './monohull.ts'

const answers = ['run', 'node', fixture('answers.cjs')]
const html = 'header=content-type:text/html'

/** The encoding and Vary of an answer. */
async function encodingOf(port: number | undefined, query: string, accepted = 'gzip') {
  const { status, headers } = await ask(port, { path: `/?${query}`, headers: { 'accept-encoding': accepted } })
  assert.equal(status, 200)
  return `${headers['content-encoding'] ?? 'none'}, ${headers.vary ?? ''}`.trim()
}

describe('compression', () => {
  it('encodes what gains by it and was not encoded, as the client takes it', async t => {
    const monohull = startMonohull(t, { args: answers, env: { MONOHULL_HTTPS: 'off' } })
    const { httpPort } = await monohull.serving()
    const table: [string, string][] = [
      ['text/html', 'gzip, Accept-Encoding'],
      ['text/html;charset=utf-8', 'gzip, Accept-Encoding'],
      ['application/json', 'gzip, Accept-Encoding'],
      ['text/javascript', 'gzip, Accept-Encoding'],
      ['text/css', 'gzip, Accept-Encoding'],
      ['image/svg%2Bxml', 'gzip, Accept-Encoding'],
      ['application/wasm', 'gzip, Accept-Encoding'],
      ['font/ttf', 'gzip, Accept-Encoding'],
      ['font/woff2', 'none,'],
      ['image/png', 'none,'],
      ['application/octet-stream', 'none,'],
      ['text/event-stream', 'none,'],
    ]
    for (const [type, expected] of table)
      assert.equal(await encodingOf(httpPort, `length=2000&header=content-type:${type}`), expected, type)

    assert.equal(await encodingOf(httpPort, `length=255&header=content-length:255&${html}`), 'none,')
    assert.equal(await encodingOf(httpPort, `length=256&header=content-length:256&${html}`), 'gzip, Accept-Encoding')
    assert.equal(await encodingOf(httpPort, `length=2000&${html}`, 'identity'), 'none, Accept-Encoding')
    assert.equal(await encodingOf(httpPort, `length=2000&${html}&header=content-encoding:zstd`, 'gzip, zstd'), 'zstd,')
  })

  it('gives Brotli to who takes it, and the same bytes either way', async t => {
    const monohull = startMonohull(t, { args: answers, env: { MONOHULL_HTTPS: 'off' } })
    const { httpPort } = await monohull.serving()
    assert.equal(await encodingOf(httpPort, `length=2000&${html}`, 'gzip, br'), 'br, Accept-Encoding')
    for (const [encoding, decode] of [
      ['br', brotliDecompressSync],
      ['gzip', gunzipSync],
    ] as const) {
      const response = await fetchBytes(httpPort, `/?length=5000&${html}`, encoding)
      assert.equal(decode(response).toString(), '/ '.padEnd(5000, 'x'))
    }
  })

  it('does not happen for clients that say who they are, if that is wanted: the length would tell about secrets', async t => {
    const page = 'secret '.repeat(300)
    const skipping = 'compression: { skip_with_cookies: true }'
    const monohull = startMonohull(t, {
      env: { MONOHULL_WORKERS: undefined },
      files: {
        'public/page.html': page,
        'monohull.yaml': `https: off
${skipping}
app: { command: [node, ${fixture('echo.cjs')}], workers: 1 }
routes:
  - { app: app }
  - { path: /usual, app: app, compression: on }
  - { path: /never, app: app, compression: off }
  - { path: /files, files: { root: public } }
`,
      },
    })
    const { httpPort } = await monohull.serving()
    const query = `header=content-type:text/html&x=${'x'.repeat(400)}`
    /** Encoding of the response, and whether the app was told what the client accepts. */
    async function seenBy(path: string, headers: Record<string, string>) {
      const bytes = await fetchResponse(httpPort, `${path}?${query}`, { 'accept-encoding': 'gzip', ...headers })
      const { 'content-encoding': encoding = 'none' } = bytes.headers
      const text = encoding === 'gzip' ? gunzipSync(bytes.body).toString() : bytes.body.toString()
      return [encoding, text.includes('"accept-encoding":"gzip"')]
    }
    const cookie = { cookie: 'a=b' }
    const authorization = { authorization: 'Basic YTpi' }
    assert.deepEqual(await seenBy('/', {}), ['gzip', true])
    assert.deepEqual(await seenBy('/', cookie), ['none', false])
    assert.deepEqual(await seenBy('/', authorization), ['none', false])
    assert.deepEqual(await seenBy('/usual', cookie), ['gzip', true])
    assert.deepEqual(await seenBy('/never', cookie), ['none', true])
    assert.equal((await seenBy('/files/page.html', cookie))[0], 'gzip')
  })

  it('is as it is configured', async t => {
    const start = async (yaml: string) => {
      const monohull = startMonohull(t, { args: answers, files: { 'monohull.yaml': `https: off\n${yaml}\n` } })
      return (await monohull.serving()).httpPort
    }
    const off = await start('compression: off')
    assert.equal(await encodingOf(off, `length=2000&${html}`, 'gzip, br'), 'none,')
    const tagged = { path: `/?length=2000&${html}&header=etag:"x"`, headers: { 'accept-encoding': 'gzip' } }
    assert.equal((await ask(off, tagged)).headers.etag, '"x"')
    const own = await start('compression: { brotli: off, min_length: 1000, types: [application/x-own, text/html] }')
    assert.equal(await encodingOf(own, `length=2000&${html}`, 'gzip, br'), 'gzip, Accept-Encoding')
    assert.equal(await encodingOf(own, `length=999&header=content-length:999&${html}`), 'none,')
    assert.equal(await encodingOf(own, 'length=2000&header=content-type:application/x-own'), 'gzip, Accept-Encoding')
    assert.equal((await ask(own, tagged)).headers.etag, 'W/"x"', 'encoded bytes differ from those that the app tagged')
  })
})

async function fetchBytes(port: number | undefined, path: string, encoding: string): Promise<Buffer> {
  return (await fetchResponse(port, path, { 'accept-encoding': encoding })).body
}

/** The response with its bytes as they were sent. */
function fetchResponse(
  port: number | undefined,
  path: string,
  headers: Record<string, string>,
): Promise<{ headers: IncomingHttpHeaders; body: Buffer }> {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path, agent: false, headers }, response => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => resolve({ headers: response.headers, body: Buffer.concat(chunks) }))
    })
      .on('error', reject)
      .end()
  })
}
