// needs: libnginx-mod-http-brotli-filter
import assert from 'node:assert/strict'
import { request } from 'node:http'
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

function fetchBytes(port: number | undefined, path: string, encoding: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path, agent: false, headers: { 'accept-encoding': encoding } }, response => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => resolve(Buffer.concat(chunks)))
    })
      .on('error', reject)
      .end()
  })
}
