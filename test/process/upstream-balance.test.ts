import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { defer, type Monohull, startMonohull } from './monohull.ts'

interface Server {
  /** As `servers` has it. */
  address: string
  connections: number
}

/** A server elsewhere that tells its name and counts connections. */
async function startServer(t: TestContext, name: string, host = '127.0.0.1'): Promise<Server> {
  const listener = http.createServer((_, response) => response.end(name))
  const server = { address: '', connections: 0 }
  listener.on('connection', () => {
    server.connections += 1
  })
  listener.listen(0, host)
  await once(listener, 'listening')
  defer(t, () => {
    listener.close()
    listener.closeAllConnections()
  })
  server.address = `${host.includes(':') ? `[${host}]` : host}:${(listener.address() as AddressInfo).port}`
  return server
}

/** One that takes a request and hangs up; how many it took. */
async function startBroken(t: TestContext): Promise<Server> {
  const server = { address: '', connections: 0 }
  const listener = createServer(socket => {
    server.connections += 1
    socket.once('data', () => socket.destroy())
    socket.on('error', () => {})
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  defer(t, () => listener.close())
  server.address = `127.0.0.1:${(listener.address() as AddressInfo).port}`
  return server
}

/** With one process of nginx, which counts turns and keeps connections for itself. */
async function start(t: TestContext, upstream: string): Promise<Monohull> {
  const monohull = startMonohull(t, {
    env: { MONOHULL_NGINX_WORKER_PROCESSES: '1' },
    files: { 'monohull.yaml': `https: off\nupstreams: { legacy: ${upstream} }\nroutes: [{ upstream: legacy }]\n` },
  })
  await monohull.serving()
  return monohull
}

async function answers(monohull: Monohull, count: number, from?: string): Promise<string[]> {
  const all: string[] = []
  while (all.length < count) {
    const { status, body } = await monohull.request(from === undefined ? {} : { from })
    all.push(status === 200 ? body : String(status))
  }
  return all
}

const times = (all: readonly string[], name: string) => all.filter(one => one === name).length

describe('an upstream', { concurrency: 3 }, () => {
  it('gives each server its share by weight', async t => {
    const [a, b] = [await startServer(t, 'a'), await startServer(t, 'b')]
    const monohull = await start(t, `{ balance: round_robin, servers: ["${a.address} weight=3", "${b.address}"] }`)
    const all = await answers(monohull, 40)
    assert.deepEqual([times(all, 'a'), times(all, 'b')], [30, 10])
  })

  it('takes turns without weights, whatever their number', async t => {
    const [a, b] = [await startServer(t, 'a'), await startServer(t, 'b', '::1')]
    const monohull = await start(t, `{ balance: round_robin, servers: ["${a.address}", "${b.address}"] }`)
    const all = await answers(monohull, 20)
    assert.deepEqual([times(all, 'a'), times(all, 'b')], [10, 10])
  })

  it('sends a client to the same server with ip_hash, and clients of many networks to all', async t => {
    const [a, b] = [await startServer(t, 'a'), await startServer(t, 'b')]
    const monohull = await start(t, `{ balance: ip_hash, servers: ["${a.address}", "${b.address}"] }`)
    const firsts: string[] = []
    for (let network = 1; network <= 16; network++) {
      const [first = '', ...others] = await answers(monohull, 3, `127.0.${network}.1`)
      assert.deepEqual(others, [first, first])
      firsts.push(first)
    }
    assert.deepEqual([...new Set(firsts)].sort(), ['a', 'b'])
  })

  it('keeps connections to its servers, or with keepalive: 0 none', async t => {
    const [a, b] = [await startServer(t, 'a'), await startServer(t, 'b')]
    await answers(await start(t, `{ servers: ["${a.address}"] }`), 10)
    assert.equal(a.connections, 1)
    await answers(await start(t, `{ servers: ["${b.address}"], keepalive: 0 }`), 10)
    assert.equal(b.connections, 10)
  })

  it('is tried at as many others as retries says, and a POST at none', async t => {
    const broken = [await startBroken(t), await startBroken(t), await startBroken(t), await startBroken(t)]
    const servers = broken.map(({ address }) => `"${address}"`).join(', ')
    for (const [method, retries, tried] of [
      ['GET', '', 3],
      ['GET', ', retries: 0', 1],
      ['GET', ', retries: 3', 4],
      ['POST', ', retries: 3', 1],
    ] as const) {
      const monohull = await start(t, `{ servers: [${servers}], max_fails: 0${retries} }`)
      const before = broken.reduce((sum, { connections }) => sum + connections, 0)
      assert.equal((await monohull.request({ method })).status, 502)
      const after = broken.reduce((sum, { connections }) => sum + connections, 0)
      assert.equal(after - before, tried, `${method}${retries}`)
    }
  })
})
