import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import { describe, it, type TestContext } from 'node:test'
import { type ClientOptions, WebSocket } from 'ws'
import { defer, fixture, type Monohull, startMonohull, until } from './monohull.ts'

const home = new URL('../../', import.meta.url).pathname

/** An app with WebSockets and events behind routes of both kinds. */
async function startStreams(t: TestContext, env: Record<string, string> = {}, yaml = ''): Promise<Monohull> {
  const monohull = startMonohull(t, {
    env: { MONOHULL_WORKERS: '1', NODE_PATH: `${home}node_modules`, ...env },
    files: {
      'monohull.yaml': `https: off
${yaml}
app: { command: [node, ${fixture('streams.cjs')}] }
routes: [{ app: app }, { path: /api, app: app, strip_prefix: true }, { path: /short, app: app, read_timeout: 300ms }]
`,
    },
  })
  await monohull.serving()
  return monohull
}

async function connect(t: TestContext, monohull: Monohull, path: string) {
  const socket = new WebSocket(`ws://127.0.0.1:${monohull.instance().httpPort}${path}`)
  defer(t, () => socket.terminate())
  await once(socket, 'open')
  return {
    socket,
    /** What comes back for a text. */
    async echo(text: string): Promise<{ pid: number; text: string }> {
      const answered = once(socket, 'message', { signal: AbortSignal.timeout(20_000) })
      socket.send(text)
      const [pid = '', echoed = ''] = String((await answered)[0]).split(' ')
      return { pid: Number(pid), text: echoed }
    },
  }
}

describe('WebSockets', () => {
  for (const path of ['/', '/api', '/api/deep/er?x=1'])
    it(`are passed on at ${path}`, async t => {
      const monohull = await startStreams(t)
      const { echo } = await connect(t, monohull, path)
      assert.deepEqual(await echo('hello'), { pid: monohull.worker(1), text: 'hello' })
    })

  it('are passed on with a stripped or rewritten path, behind a password, past a cache, over TLS', async t => {
    const monohull = startMonohull(t, {
      env: { MONOHULL_WORKERS: '1', NODE_PATH: `${home}node_modules` },
      files: {
        staff: 'anne:$apr1$abcdefgh$h9FWgUz3n9YxylKLlR5SQ/\n',
        'monohull.yaml': `https: on
app: { command: [node, ${fixture('streams.cjs')}] }
cache: { ttl: 1m }
routes:
  - { app: app }
  - { path: /api, app: app, strip_prefix: true, basic_auth: { file: staff } }
  - { path: /old, app: app, rewrite: { from: '^/old/(.*)$', to: '/new/$1' } }
`,
      },
    })
    const { httpPort, httpsPort } = await monohull.serving()
    const urlOf = async (path: string, options: ClientOptions = {}) => {
      const origins = [`ws://127.0.0.1:${httpPort}`, `wss://127.0.0.1:${httpsPort}`]
      const urls = origins.map(async origin => {
        const socket = new WebSocket(origin + path, { rejectUnauthorized: false, ...options })
        defer(t, () => socket.terminate())
        const signal = AbortSignal.timeout(20_000)
        await once(socket, 'open', { signal })
        const told = once(socket, 'message', { signal })
        socket.send('url')
        return String((await told)[0]).split(' ')[1]
      })
      return [...new Set(await Promise.all(urls))].join()
    }
    assert.equal(await urlOf('/old/a%2Fb?x=1'), '/new/a%2Fb?x=1')
    assert.equal(await urlOf('/api/a//b?x', { headers: { authorization: `Basic ${btoa('anne:secret')}` } }), '/a//b?x')
    await assert.rejects(urlOf('/api/a'), /Unexpected server response: 401/)
    for (const kept of ['MISS', 'HIT'])
      assert.equal((await monohull.request({ path: '/page' })).headers['x-cache'], kept)
    assert.equal(await urlOf('/page'), '/page')
  })

  it('stay with the old worker while it is replaced, until graceful_timeout', async t => {
    const monohull = await startStreams(t, { MONOHULL_GRACEFUL_TIMEOUT: '4s' })
    const open = await Promise.all(Array.from({ length: 3 }, () => connect(t, monohull, '/')))
    const before = monohull.worker(1)
    const closed = Promise.all(open.map(({ socket }) => once(socket, 'close')))
    monohull.signal('SIGUSR2')
    const after = await monohull.workerAfter(1, before)
    // the new one is ready before the old one is told
    const { socket, echo } = await connectToNext(t, monohull, after)
    for (const connection of open) assert.deepEqual(await connection.echo('still'), { pid: before, text: 'still' })
    await closed
    await monohull.seen(/workers replaced/)
    assert.deepEqual(await echo('new'), { pid: after, text: 'new' })
    assert.equal(socket.readyState, WebSocket.OPEN)
    assert.doesNotMatch(monohull.output(), / error /)
  })

  it('are closed when they are silent for longer than read_timeout', async t => {
    const monohull = await startStreams(t)
    const { socket } = await connect(t, monohull, '/short')
    await once(socket, 'close', { signal: AbortSignal.timeout(20_000) })
  })
})

/** A connection to a worker that is about to take over. */
async function connectToNext(t: TestContext, monohull: Monohull, pid: number) {
  for (;;) {
    const connection = await connect(t, monohull, '/')
    if ((await connection.echo('who')).pid === pid) return connection
    connection.socket.terminate()
  }
}

describe('server-sent events', () => {
  it('arrive one by one', async t => {
    const monohull = await startStreams(t)
    for (const path of ['/events', '/api/events']) {
      const request = http.get({ host: '127.0.0.1', port: monohull.instance().httpPort, path, agent: false })
      defer(t, () => request.destroy())
      const [response] = (await once(request, 'response')) as [http.IncomingMessage]
      const events = response.setEncoding('utf8').iterator()
      const next = async () => (await events.next()).value as string
      assert.equal(await next(), 'data: hello\n\n')
      for (const word of ['one', 'two', 'three']) {
        // the next is not written before this one has come
        await monohull.request({ path: `/next/${word}` })
        assert.equal(await next(), `data: ${word}\n\n`)
      }
      request.destroy()
    }
  })

  it('arrive one by one where the cache keeps what says nothing, and are never kept', async t => {
    const monohull = await startStreams(t, {}, 'cache: { ttl: 1m }')
    const { httpPort } = monohull.instance()
    for (const word of ['one', 'two']) {
      // without the Accept that a browser's EventSource sends
      const request = http.get({ host: '127.0.0.1', port: httpPort, path: '/events', agent: false })
      defer(t, () => request.destroy())
      const signal = AbortSignal.timeout(20_000)
      const [response] = (await once(request, 'response', { signal })) as [http.IncomingMessage]
      assert.equal(response.headers['x-cache'], 'MISS')
      const events = response.setEncoding('utf8').iterator()
      assert.equal((await events.next()).value, 'data: hello\n\n')
      await monohull.request({ path: `/next/${word}`, method: 'POST' })
      assert.equal((await events.next()).value, `data: ${word}\n\n`)
      await monohull.request({ path: '/end', method: 'POST' })
      assert.equal((await events.next()).done, true)
    }
  })

  it('go on from the old worker while it is replaced', async t => {
    const monohull = await startStreams(t, { MONOHULL_MIN_UPTIME: '0s' })
    const before = monohull.worker(1)
    const request = http.get({ host: '127.0.0.1', port: monohull.instance().httpPort, path: '/ticks', agent: false })
    defer(t, () => request.destroy())
    const [response] = (await once(request, 'response')) as [http.IncomingMessage]
    let told = ''
    response.setEncoding('utf8').on('data', (text: string) => {
      told += text
    })
    monohull.signal('SIGUSR2')
    await connectToNext(t, monohull, await monohull.workerAfter(1, before))
    told = ''
    await until('more of the old worker', () => told.split(`data: ${before} tick`).length > 10)
    assert.equal(response.complete, false)
  })
})
