import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import net from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { launcher } from './built.ts'
import { defer, fixture, isolatedEnv, type Monohull, startMonohull, until } from './monohull.ts'
import { holdRequest } from './raw.ts'

const connections = 256
/** Of one nginx worker: two for each, and 32 left. */
const requests = (connections - 32) / 2

async function start(t: TestContext): Promise<Monohull> {
  const monohull = startMonohull(t, {
    args: ['run', 'node', fixture('answers.cjs')],
    env: { MONOHULL_HTTPS: 'off', MONOHULL_NGINX_WORKER_PROCESSES: '1', MONOHULL_WORKERS: '1' },
    files: { 'monohull.yaml': `nginx: { worker_connections: ${connections} }\n` },
  })
  await monohull.serving()
  return monohull
}

/** Opens connections with half a request head each; those that are closed are no longer in it. */
async function sendHalves(t: TestContext, { httpPort }: { httpPort: number | undefined }, count: number, from: string) {
  const open = new Set<net.Socket>()
  await Promise.all(
    Array.from({ length: count }, async () => {
      const socket = net.connect({ host: '127.0.0.1', port: httpPort ?? 0, localAddress: from })
      defer(t, () => socket.destroy())
      socket.on('error', () => {})
      socket.resume().on('close', () => open.delete(socket))
      await once(socket, 'connect')
      open.add(socket)
      socket.write('GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ')
    }),
  )
  return open
}

describe('connections of nginx', { concurrency: 2 }, () => {
  it('are probed by the kernel while they are idle, so that one whose client has vanished ends', async t => {
    const monohull = await start(t)
    const { httpPort = 0 } = monohull.instance()
    const socket = net.connect(httpPort, '127.0.0.1')
    defer(t, () => socket.destroy())
    await once(socket, 'connect')
    const [own, client] = [httpPort, socket.localPort ?? 0].map(port =>
      port.toString(16).toUpperCase().padStart(4, '0'),
    )
    // established, with the timer of keepalive (proc_net_tcp.txt)
    const probed = new RegExp(`0100007F:${own} 0100007F:${client} 01 \\S+ 02:`)
    await until('the timer', () => probed.test(readFileSync('/proc/net/tcp', 'utf8')))
  })

  it('in use by requests leave room for health: further ones get 503, and one line names the fix', async t => {
    const monohull = await start(t)
    const { httpPort } = monohull.instance()
    const held = await Promise.allSettled(Array.from({ length: requests + 40 }, () => holdRequest(httpPort)))
    const sockets = held.flatMap(one => (one.status === 'fulfilled' ? one.value : []))
    defer(t, () => sockets.forEach(socket => void socket.destroy()))
    assert.equal(sockets.length, requests)
    for (const one of held) if (one.status === 'rejected') assert.match(String(one.reason), /HTTP\/1\.1 503 /)
    const refused = await monohull.request({ headers: { accept: 'application/json' } })
    assert.deepEqual([refused.status, refused.headers['retry-after']], [503, '5'])
    assert.equal((await monohull.request({ path: '/healthz' })).status, 200)
    assert.equal((await monohull.request({ path: '/readyz' })).status, 200)
    await monohull.seen(/warn nginx is short of connections.* limit=256 .*fix=/)
    assert.doesNotMatch(monohull.output(), /\[alert\]|limiting connections/)
    const status = execFileSync(process.execPath, [launcher, 'status'], {
      env: isolatedEnv(monohull.folder),
      encoding: 'utf8',
    })
    assert.match(status, /connections \d+ open, limit 256/)
    sockets.pop()?.destroy()
    await until('room for one more', async () => (await monohull.request()).status === 200)
  })

  it('with half a request head are closed if one client has many', async t => {
    const monohull = await start(t)
    const early = await sendHalves(t, monohull.instance(), 5, '127.0.0.4')
    const greedy = await sendHalves(t, monohull.instance(), connections - 60, '127.0.0.2')
    const modest = await sendHalves(t, monohull.instance(), 5, '127.0.0.3')
    for (const socket of early) socket.destroy()
    await until('the greedy client to leave half to others', () => greedy.size <= connections / 2, { deadlineMs: 8000 })
    assert.equal(modest.size, 5)
    assert.equal((await monohull.request()).status, 200)
    assert.equal((await monohull.request({ path: '/healthz' })).status, 200)
  })
})
