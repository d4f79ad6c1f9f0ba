import { once } from 'node:events'
import { chmodSync } from 'node:fs'
import net from 'node:net'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { defer, temporaryFolder } from './monohull.ts'

/** What lies between monohull and Redis, on a socket of its own: it may be slow, answer nonsense, or let nothing through any more. */
export async function startRedisProxy(t: TestContext, target: string) {
  const socket = join(temporaryFolder(t), 'proxy.sock')
  const behaviour = { delayMs: 0, garbage: '', isClosed: false, silentFrom: '' }
  const connections = new Set<net.Socket>()
  const server = net.createServer(client => {
    if (behaviour.isClosed) return void client.destroy()
    const upstream = net.connect(target)
    for (const one of [client, upstream]) {
      connections.add(one)
      one.on('error', () => {})
      one.on('close', () => {
        connections.delete(one)
        client.destroy()
        upstream.destroy()
      })
    }
    let isSilent = false
    client.on('data', (data: Buffer) => {
      isSilent ||= behaviour.silentFrom !== '' && data.includes(behaviour.silentFrom)
      if (!isSilent) upstream.write(data)
    })
    let order = Promise.resolve()
    upstream.on('data', (data: Buffer) => {
      order = order.then(async () => {
        await pause(behaviour.delayMs)
        if (!client.destroyed && !isSilent) client.write(behaviour.garbage || data)
      })
    })
  })
  const cut = () => {
    for (const one of connections) one.destroy()
  }
  server.listen(socket)
  await once(server, 'listening')
  chmodSync(socket, 0o777)
  defer(t, () => {
    cut()
    server.close()
  })
  return { store: `unix:${socket}`, behaviour, cut }
}
