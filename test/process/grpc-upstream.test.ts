import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import type { StatusObject } from '@grpc/grpc-js'
import { makeCertificate } from '../make-certificate.ts'
import { connect } from './grpc-client.ts'
import { defer, fixture, startMonohull, temporaryFolder, until } from './monohull.ts'

interface Server {
  port: number
  output(): string
}

/** Runs the gRPC fixture as a program elsewhere, with a service of this name. */
async function startServer(t: TestContext, env: Record<string, string>): Promise<Server> {
  const child = fork(fixture('grpc.cjs'), { env: { ...env, PORT: '0' }, stdio: ['ignore', 'pipe', 'inherit', 'ipc'] })
  let output = ''
  child.stdout?.on('data', chunk => {
    output += chunk
  })
  defer(t, async () => {
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  })
  const [port] = await once(child, 'message')
  return { port: Number(port), output: () => output }
}

describe('gRPC to an upstream', () => {
  it('works over h2c and over TLS', async t => {
    const folder = temporaryFolder(t)
    makeCertificate(folder, 'billing.test', { chain: 'chain', key: 'key' })
    const files = { KEY: join(folder, 'key'), CERT: join(folder, 'chain') }
    const [plain, secure] = await Promise.all([
      startServer(t, { SERVICE: 'test.Plain' }),
      startServer(t, { SERVICE: 'test.Secure', ...files }),
    ])
    const config = (more = '') => `
https: on
stop_timeout: 20s
upstreams:
  plain: { servers: ['127.0.0.1:${plain.port}'], protocol: grpc }
  secure: { servers: ['127.0.0.1:${secure.port}'], protocol: grpc, tls: { name: billing.test, ca: chain } }
routes:
  - { path: /, match: exact, response: { status: 200, body: site } }
  - { path: /test.Plain, upstream: plain, max_body_size: 16m${more} }
  - { path: /test.Secure, upstream: secure, max_body_size: 16m }
`
    const env = { MONOHULL_WORKERS: undefined, MONOHULL_DIRECTORY: undefined }
    writeFileSync(join(folder, 'monohull.yaml'), config())
    const monohull = startMonohull(t, { folder, args: ['run'], env })
    await monohull.serving()
    const client = connect(t, monohull, { 'grpc.max_receive_message_length': -1 })
    // one connection that pings each second, the shortest time that the library accepts
    const pinging = connect(t, monohull, {
      'grpc.keepalive_time_ms': 1000,
      'grpc.keepalive_timeout_ms': 20_000,
      'grpc.keepalive_permit_without_calls': 1,
      'grpc.use_local_subchannel_pool': 1,
    })
    const silent = pinging.chat('/test.Plain/Chat')
    silent.write('first')
    await once(silent, 'data')

    for (const [name, server] of [
      ['test.Plain', plain],
      ['test.Secure', secure],
    ] as const)
      await t.test(`${name}: unary calls, streams, trailers, deadlines and cancellations`, async () => {
        const { unary, list, chat } = client
        const said = await unary(`/${name}/Say`, 'hello')
        assert.deepEqual([said.code, said.trailer, said.text?.replace(/^\d+ /, '')], [0, 'kept', 'hello'])
        assert.deepEqual(await unary(`/${name}/Fail`), { code: 9, details: 'not now', trailer: 'kept' })
        const large = 'x'.repeat(8 * 1024 * 1024)
        assert.equal((await unary(`/${name}/Size`, large)).text?.length, large.length)

        const numbers = list(`/${name}/List`, '2000')
        const received: string[] = []
        numbers.on('data', text => received.push(text))
        const [status] = (await once(numbers, 'status')) as [StatusObject]
        assert.deepEqual([received.length, received.at(-1)], [2000, '2000'])
        assert.deepEqual([status.code, status.metadata.get('x-trailer')[0]], [0, 'kept'])

        const bidi = chat(`/${name}/Chat`)
        for (const text of ['one', 'two']) {
          bidi.write(text)
          assert.match(String((await once(bidi, 'data'))[0]), new RegExp(`^\\d+ ${text}$`))
        }
        bidi.end()
        assert.equal(((await once(bidi, 'status')) as [StatusObject])[0].code, 0)

        const remaining = Number((await unary(`/${name}/Remaining`, 'x', { deadlineMs: 9000 })).text)
        assert.ok(remaining > 1000 && remaining <= 9000, String(remaining))
        assert.equal((await unary(`/${name}/Slow`, '20000', { deadlineMs: 300 })).code, 4)
        await until('the end of the call at its deadline', () => /cancelled/.test(server.output()))
        const before = server.output().length
        const open = list(`/${name}/List`, '0')
        open.on('error', () => {})
        await once(open, 'data')
        open.cancel()
        await until('the end of the cancelled call', () => /cancelled/.test(server.output().slice(before)))
      })

    await t.test('with pings of a client, and a stream that was silent since', async () => {
      silent.write('last')
      assert.match(String((await once(silent, 'data'))[0]), /last$/)
      silent.end()
      assert.equal(((await once(silent, 'status')) as [StatusObject])[0].code, 0)
      assert.equal((await pinging.unary('/test.Plain/Say')).code, 0)
    })

    await t.test('through reloads of nginx, with streams that go on', async () => {
      const stream = client.chat('/test.Secure/Chat')
      const say = async () => {
        stream.write('still')
        return String((await once(stream, 'data'))[0])
      }
      const first = await say()
      const failures: unknown[] = []
      let isOver = false
      const calling = Array.from({ length: 4 }, async (_, index) => {
        while (!isOver) {
          const call = await client.unary(`/${index % 2 ? 'test.Plain' : 'test.Secure'}/Say`)
          if (call.code !== 0 && failures.push(call) > 9) return
        }
      })
      for (const more of [', read_timeout: 70s', ', read_timeout: 80s']) {
        const from = monohull.output().length
        writeFileSync(join(folder, 'monohull.yaml'), config(more))
        monohull.signal('SIGHUP')
        await monohull.seen(/reload finished/, from)
        assert.equal(await say(), first)
      }
      isOver = true
      await Promise.all(calling)
      assert.deepEqual(failures, [])
      stream.end()
      assert.equal(((await once(stream, 'status')) as [StatusObject])[0].code, 0)
    })
  })
})
