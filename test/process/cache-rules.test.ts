import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import http2 from 'node:http2'
import type { AddressInfo } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { defer, type Monohull, type RequestOptions, startMonohull, until } from './monohull.ts'

/** A cache in front of a server that responds with the headers in the query, and with the number of its requests. */
async function startCache(t: TestContext) {
  let count = 0
  const server = http.createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? '/', 'http://localhost')
    response.statusCode = Number(searchParams.get('status') ?? 200)
    for (const header of searchParams.getAll('header')) {
      const [name = '', value = ''] = header.split(/:(.*)/s)
      response.appendHeader(name, value)
    }
    request.resume()
    request.on('end', () => {
      count += 1
      response.end(String(count))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const end = () => {
    server.closeAllConnections()
    server.close()
  }
  defer(t, end)
  const { port } = server.address() as AddressInfo
  const monohull = startMonohull(t, {
    files: {
      'monohull.yaml': `https: on
cache: {}
upstreams: { origin: { servers: ["127.0.0.1:${port}"], max_fails: 0 } }
routes: [{ upstream: origin }]
`,
    },
  })
  await monohull.serving()
  return { monohull, end }
}

const ttl = 'header=cache-control:max-age=60'

async function stateOf(monohull: Monohull, path: string, options: RequestOptions = {}) {
  return String((await monohull.request({ path, scheme: 'http', ...options })).headers['x-cache'])
}

/** A GET with a body over HTTP/2, without Content-Length. */
async function sendBody(t: TestContext, monohull: Monohull, path: string): Promise<string> {
  const session = http2.connect(`https://127.0.0.1:${monohull.instance().httpsPort}`, { rejectUnauthorized: false })
  defer(t, () => session.destroy())
  const stream = session.request({ ':path': path, ':method': 'GET' }, { endStream: false })
  stream.end('name=EVIL')
  const [headers] = await once(stream, 'response', { signal: AbortSignal.timeout(20_000) })
  return String(headers['x-cache'])
}

describe('the rules of the cache', () => {
  it('hold for what the key lacks, for writes, ages, variants and dates', async t => {
    const { monohull } = await startCache(t)
    const ask = (path: string, options: RequestOptions = {}) => stateOf(monohull, path, options)

    // what changes the response, and not the key, is neither kept nor served from the cache
    const body = { body: 'name=EVIL', method: 'GET' }
    assert.equal(await ask(`/fat?${ttl}`, { ...body, headers: { 'content-length': '9' } }), 'BYPASS')
    assert.equal(await ask(`/fat?${ttl}`, { ...body, headers: { 'transfer-encoding': 'chunked' } }), 'BYPASS')
    assert.equal(await sendBody(t, monohull, `/fat2?${ttl}`), 'BYPASS')
    for (const header of ['x-http-method-override', 'x-original-url', 'x-rewrite-url', 'x-host'])
      assert.equal(await ask(`/fat?${ttl}`, { headers: { [header]: 'EVIL' } }), 'BYPASS', header)
    for (const path of ['/fat', '/fat2'])
      assert.equal(await ask(`${path}?${ttl}`, path === '/fat2' ? { scheme: 'https' } : {}), 'MISS')
    assert.equal(await ask(`/fat?${ttl}`, { headers: { 'content-length': '0' } }), 'HIT')

    // a write that succeeds invalidates its path, and those that its response names
    for (const [path, query] of [
      ['/a', ttl],
      ['/a', `${ttl}&header=vary:x-kind`],
      ['/b', ''],
      ['/c', ''],
    ]) {
      const target = `${path}?${query}`
      const at = query === '' ? `${path}?${ttl}` : target
      const fill = async () => {
        await ask(at)
        assert.equal(await ask(at), 'HIT', at)
      }
      await fill()
      const where = encodeURIComponent(at)
      const write =
        path === '/b' ? `/x?header=location:${where}` : path === '/c' ? `/x?header=content-location:${where}` : at
      await ask(`${write}&status=500`, { method: 'POST' })
      assert.equal(await ask(at), 'HIT', `after a failed write, ${at}`)
      await ask(write, { method: path === '/a' ? 'DELETE' : 'POST' })
      assert.equal(await ask(at), 'MISS', `after a write, ${at}`)
      assert.equal(await ask(at), 'HIT', at)
    }

    // ages
    const old = `/old?${ttl}&header=age:50`
    assert.equal(await ask(old), 'MISS')
    const { headers } = await monohull.request({ path: old, scheme: 'http' })
    assert.equal(headers['x-cache'], 'HIT')
    assert.ok(Number(headers.age) >= 50, headers.age)
    for (const header of ['age:60', 'age:1x', 'age:-1', 'age:1,2', 'vary:*', 'vary:*, accept', 'vary:accept, *'])
      for (const _ of [1, 2])
        assert.equal(await ask(`/never?${ttl}&header=${encodeURIComponent(header)}`), 'MISS', header)
    for (const expires of ['0', 'Thu, 01 Jan 2099 00:00:00 AEST', 'Thu, 18 Aug 2050 02:01:18 UTC'])
      for (const _ of [1, 2])
        assert.equal(await ask(`/at?header=${encodeURIComponent(`expires:${expires}`)}`), 'MISS', expires)

    // what Connection lists is for nginx alone
    const listed = await monohull.request({ path: '/l?header=connection:x-hop&header=x-hop:1', scheme: 'http' })
    assert.equal(listed.headers['x-hop'], undefined)
    assert.doesNotMatch(monohull.output(), /\[(error|crit|alert)\]/)
  })

  it('forbid stale responses where the app does, and use them elsewhere', async t => {
    const { monohull, end } = await startCache(t)
    const strict = ['must-revalidate', 'proxy-revalidate', 's-maxage=1'].map(word =>
      `/${word}?header=cache-control:max-age=1, ${word}`.replaceAll(' ', '%20'),
    )
    const lenient = '/lenient?header=cache-control:max-age=1'
    for (const path of [...strict, lenient]) assert.equal(await stateOf(monohull, path), 'MISS')
    end()
    await until('a stale response', async () => (await stateOf(monohull, lenient)) === 'STALE')
    for (const path of strict) {
      const ended = await until(path, async () => {
        const response = await monohull.request({ path, scheme: 'http' })
        return response.headers['x-cache'] === 'HIT' ? undefined : response
      })
      assert.equal(ended.status, 502, path)
    }
  })
})
