import assert from 'node:assert/strict'
import { Agent } from 'node:http'
import { describe, it } from 'node:test'
import { freePorts } from './free-ports.ts'
import { allReady, ask, fixture, type RequestOptions, startMonohull } from './monohull.ts'
import { sendRaw } from './raw.ts'

const hello = ['run', 'node', fixture('hello.cjs')]

describe('a stop as an orchestrator makes it', { concurrency: 2 }, () => {
  it('not ready, yet alive and serving for stop_delay, on new and kept connections; what comes last is finished', async t => {
    const stopDelayMs = 2500
    const env = { MONOHULL_HTTPS: 'off', MONOHULL_STOP_DELAY: `${stopDelayMs}ms` }
    const monohull = startMonohull(t, { args: hello, env })
    await allReady(monohull, 2)
    const kept = new Agent({ keepAlive: true, maxSockets: 1 })
    t.after(() => kept.destroy())
    const { httpPort } = monohull.instance()
    const status = async (options: RequestOptions = {}) => (await ask(httpPort, options)).status
    const post = { method: 'POST', body: 'x' }
    assert.equal(await status({ agent: kept }), 200)

    monohull.signal('SIGTERM')
    await monohull.seen(/stopping mode=graceful/)
    const since = performance.now()
    const seen = { ready: new Set<number>(), alive: new Set<number>(), served: new Set<number>() }
    while (performance.now() - since < stopDelayMs - 1000) {
      seen.ready.add(await status({ path: '/readyz' }))
      seen.alive.add(await status({ path: '/healthz' }))
      for (const options of [{}, post, { agent: kept }, { ...post, agent: kept }])
        seen.served.add(await status(options))
    }
    const late = status({ ...post, path: '/slow?ms=2000' })
    assert.deepEqual([[...seen.ready], [...seen.alive], [...seen.served]], [[503], [200], [200]])
    assert.equal(await late, 200)
    await assert.rejects(status(), /ECONNREFUSED|ECONNRESET|hang up/, 'a balancer had its time')
    assert.equal(await monohull.exited, 0)
  })

  it('after it, clients with kept connections get Connection: close, and lose no request', async t => {
    const env = { MONOHULL_HTTPS: 'off', MONOHULL_STOP_DELAY: '500ms' }
    const monohull = startMonohull(t, { args: hello, env })
    await allReady(monohull, 2)
    const { httpPort } = monohull.instance()
    const isTold = async () => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 })
      t.after(() => agent.destroy())
      for (;;) {
        const { status, headers } = await ask(httpPort, {
          method: 'POST',
          body: 'x',
          agent,
          headers: { connection: 'keep-alive' },
        })
        assert.equal(status, 200)
        if (headers.connection === 'close') return monohull.output().includes('stopping mode=graceful')
      }
    }
    const clients = Array.from({ length: 10 }, isTold)
    await ask(httpPort)
    monohull.signal('SIGTERM')
    assert.deepEqual(await Promise.all(clients), Array(10).fill(true))
    assert.equal(await monohull.exited, 0)
  })

  it('behind a balancer that speaks the PROXY protocol, probes see it on the port for them', async t => {
    const [healthPort] = await freePorts(1)
    const balancer = '127.0.0.2'
    const text = `https: off\ntrusted_proxies: [${balancer}]\nproxy_protocol: true\nhealth: { port: ${healthPort} }\nstop_delay: 2s\n`
    const monohull = startMonohull(t, { args: hello, files: { 'monohull.yaml': text } })
    const { httpPort } = await monohull.serving()
    const probe = async (path: string) => (await ask(healthPort, { path })).status
    assert.deepEqual([await probe('/readyz'), await probe('/healthz')], [200, 200])
    monohull.signal('SIGTERM')
    await monohull.seen(/stopping mode=graceful/)
    assert.deepEqual([await probe('/readyz'), await probe('/healthz')], [503, 200])
    const preface = 'PROXY TCP4 203.0.113.7 10.0.0.1 5555 80\r\n'
    const request = 'GET / HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n'
    assert.match(await sendRaw(httpPort, request, { from: balancer, preface }), /^HTTP\/1\.1 200 .*203\.0\.113\.7/s)
    assert.equal(await monohull.exited, 0)
  })
})
