import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fixture, startMonohull } from './monohull.ts'

const hello = ['run', 'node', fixture('hello.cjs')]
const balancer = '127.0.0.2'
const stranger = '127.0.0.3'

describe('traces and ids of requests', () => {
  it('a well-formed trace of a trusted proxy is kept, with its state; any other is replaced', async t => {
    const files = { 'monohull.yaml': `https: off\ntrusted_proxies: [${balancer}]\nlog_format: json\n` }
    const monohull = startMonohull(t, { args: hello, files })
    await monohull.serving()
    const trace = '0af7651916cd43dd8448eb211c80319c'
    const parent = 'b7ad6b7169203331'
    const given = `00-${trace}-${parent}-00`
    const seen = async (traceparent: string, from = balancer): Promise<Record<string, string>> => {
      const { status, body } = await monohull.request({ headers: { traceparent, tracestate: 'a=1,b=2' }, from })
      assert.equal(status, 200, body)
      return JSON.parse(body).headers
    }

    for (const [sent, got] of [
      [given, given],
      [`cc-${trace}-${parent}-01-later`, `00-${trace}-${parent}-01`],
    ] as const) {
      const { traceparent, tracestate } = await seen(sent)
      assert.deepEqual([traceparent, tracestate], [got, 'a=1,b=2'])
    }
    await monohull.seen(new RegExp(`"trace_id":"${trace}"}\n`))

    for (const [sent, from] of [
      [given, stranger],
      ['', balancer],
      [`${given}-more`, balancer],
      [`ff-${trace}-${parent}-00`, balancer],
      [`00-${trace.toUpperCase()}-${parent}-00`, balancer],
      [`00-${'0'.repeat(32)}-${parent}-00`, balancer],
      [`00-${trace}-${'0'.repeat(16)}-00`, balancer],
      [`00-${trace}-${parent}`, balancer],
      [`${given}, ${given}`, balancer],
      [`cc-${trace}-${parent}-01x`, balancer],
    ] as const) {
      const headers = await seen(sent, from)
      const [, id = '', span = ''] = /^00-([0-9a-f]{32})-([0-9a-f]{16})-01$/.exec(headers.traceparent ?? '') ?? []
      assert.ok(id !== '' && id !== trace && !id.startsWith(span), `${sent}: ${headers.traceparent}`)
      assert.equal(headers.tracestate, undefined)
      assert.equal(headers['x-request-id'], id)
      await monohull.seen(new RegExp(`"request_id":"${id}","trace_id":"${id}"}\n`))
    }
  })

  it('a request has one id: for the app, in the log, and in a file of the user', async t => {
    for (const [own, count] of [
      // more than nginx's workers have random bytes for at once
      ['', 600],
      ['add_header X-Own $request_id;\ninclude rendered/headers.conf;\n', 3],
    ] as const) {
      const files: Record<string, string> = own ? { 'nginx/server.d/own.conf': own } : {}
      const env = { MONOHULL_WORKERS: '1', MONOHULL_HTTPS: 'off' }
      const monohull = startMonohull(t, { args: hello, files, env })
      await monohull.serving()
      const made = new Set<string>()
      for (let number = 0; number < count; number++) {
        const { headers, body } = await monohull.request()
        const id: string = JSON.parse(body).headers['x-request-id']
        assert.match(id, /^[0-9a-f]{32}$/)
        if (own) assert.equal(headers['x-own'], id)
        if (number < 3) await monohull.seen(new RegExp(` ${id}\n`))
        made.add(id)
      }
      assert.equal(made.size, count)
    }
  })
})
