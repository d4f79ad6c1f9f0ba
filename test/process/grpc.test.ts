import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import * as grpc from '@grpc/grpc-js'
import { freePorts } from './free-ports.ts'
import { type Call, type Client, connect } from './grpc-client.ts'
import { fixture, startMonohull } from './monohull.ts'

const calls = fixture('grpc.cjs')

const config = (port: number) => `
https: on
stop_timeout: 20s
apps:
  echo: { command: [node, ${calls}], protocol: grpc, workers: 2, graceful_timeout: 12s, timeout: 2s, health: { interval: 200ms } }
  far: { command: [node, ${calls}], listen: port, protocol: grpc, workers: 1, env: { SERVICE: test.Far } }
upstreams:
  none: { servers: ['127.0.0.1:${port}'], protocol: grpc, retries: 0 }
routes:
  - { path: /, match: exact, response: { status: 200, body: site } }
  - { path: /test.Echo, app: echo }
  - { path: /test.Echo/Slow, app: echo, read_timeout: 1s }
  - { path: /test.Echo/Headers, app: echo, basic_auth: { file: users } }
  - { path: /test.Echo/Fail, app: echo, max_body_size: 1k }
  - { path: /test.Far, app: far }
  - { path: /test.None, upstream: none }
  - { path: /test.Denied, app: echo, deny: [127.0.0.1] }
`

const clientErrors = { unavailable: 14, deadline: 4, exhausted: 8, denied: 7, unauthenticated: 16, unimplemented: 12 }

/** Unary calls one after the other until the returned function is called, which gives the pids that responded and what failed. */
function keepCalling(client: Client) {
  const pids = new Set<string>()
  const failures: Call[] = []
  let isOver = false
  const calling = Array.from({ length: 4 }, async () => {
    while (!isOver) {
      const call = await client.unary('/test.Echo/Say')
      if (call.code === 0) pids.add(call.text?.split(' ')[0] ?? '')
      else if (failures.push(call) > 9) return
    }
  })
  return {
    pids,
    async end() {
      isOver = true
      await Promise.all(calling)
      return failures
    },
  }
}

describe('gRPC', () => {
  it('goes through the front', async t => {
    const [port = 0] = await freePorts(1)
    const files = { 'monohull.yaml': config(port), users: 'me:$apr1$salt$GuAg0AphaWDqGw5NMoEjE/\n' }
    const env = { MONOHULL_WORKERS: undefined, MONOHULL_DIRECTORY: undefined }
    const monohull = startMonohull(t, { files, args: ['run'], env })
    await monohull.serving()
    for (const worker of ['echo.1', 'echo.2', 'far.1']) await monohull.seen(new RegExp(`worker ready worker=${worker}`))
    const client = connect(t, monohull)

    await t.test('with messages, trailers and statuses of the app, on its socket and on a port', async () => {
      const first = await client.unary('/test.Echo/Say', 'hello')
      assert.match(first.text ?? '', /^\d+ hello$/)
      assert.deepEqual([first.code, first.trailer], [0, 'kept'])
      assert.deepEqual(await client.unary('/test.Echo/Fail'), { code: 9, details: 'not now', trailer: 'kept' })
      assert.match((await client.unary('/test.Far/Say', 'port')).text ?? '', /^\d+ port$/)
      assert.equal((await monohull.request()).body, 'site')
    })

    await t.test('with streams, of any length', async () => {
      const chat = client.chat()
      for (const text of ['one', 'two']) {
        chat.write(text)
        assert.match(String((await once(chat, 'data'))[0]), new RegExp(`^\\d+ ${text}$`))
      }
      chat.end()
      const [status] = (await once(chat, 'status')) as [grpc.StatusObject]
      assert.deepEqual([status.code, status.metadata.get('x-trailer')[0]], [0, 'kept'])
      // more than max_body_size
      const { stream, result } = client.sum()
      for (let part = 0; part < 24; part++) stream.write('x'.repeat(512 * 1024))
      stream.end()
      assert.equal(await result, String(12 * 1024 * 1024))
    })

    await t.test('with a status for each error of the front', async () => {
      const codes = {
        unavailable: (await client.unary('/test.None/Say')).code,
        deadline: (await client.unary('/test.Echo/Slow', '20000')).code,
        exhausted: (await client.unary('/test.Echo/Fail', 'x'.repeat(2000))).code,
        denied: (await client.unary('/test.Denied/Say')).code,
        unauthenticated: (await client.unary('/test.Echo/Headers')).code,
        unimplemented: (await client.unary('/no.Route/Say')).code,
      }
      assert.deepEqual(codes, clientErrors)
    })

    await t.test('with the deadline of the client, after which the call of the app is cancelled', async () => {
      assert.equal((await client.unary('/test.Echo/Slow', '900', { deadlineMs: 300 })).code, 4)
      await monohull.seen(/cancelled/)
    })

    await t.test('with headers that a client cannot forge', async () => {
      const metadata = new grpc.Metadata()
      metadata.set('authorization', `Basic ${Buffer.from('me:y').toString('base64')}`)
      metadata.set('x-forwarded-for', '9.9.9.9')
      metadata.set('x-client-cert-verify', 'SUCCESS')
      const headers = JSON.parse((await client.unary('/test.Echo/Headers', 'x', { metadata })).text ?? '{}')
      assert.equal(headers['x-forwarded-for'], '127.0.0.1')
      assert.equal(headers['x-forwarded-proto'], 'https')
      assert.equal(headers['x-client-cert-verify'], undefined)
      assert.equal(headers.authorization, undefined)
    })

    await t.test('through rolls, which lose no call and let streams end', async () => {
      const load = keepCalling(client)
      const chats = Array.from({ length: 4 }, () => client.chat())
      const say = async (chat: (typeof chats)[number]) => {
        chat.write('still')
        return String((await once(chat, 'data'))[0]).split(' ')[0]
      }
      try {
        const before = await Promise.all(chats.map(say))
        const roll = async () => {
          const from = monohull.output().length
          monohull.signal('SIGUSR2')
          await monohull.seen(/ workers replaced/, from)
        }
        await roll()
        assert.deepEqual(await Promise.all(chats.map(say)), before)
        const ended = chats.map(chat => once(chat, 'status') as Promise<[grpc.StatusObject]>)
        for (const chat of chats) chat.end()
        const codes = (await Promise.all(ended)).map(([{ code }]) => code)
        assert.deepEqual(codes, [0, 0, 0, 0])
        await roll()
      } finally {
        assert.deepEqual(await load.end(), [])
      }
      assert.ok(load.pids.size >= 4, [...load.pids].join())
    })
  })
})
