import { once } from 'node:events'
import net from 'node:net'
import type { TestContext } from 'node:test'
import { defer } from './monohull.ts'

/** A port on loopback that this process listens on. */
export async function takenPort(t: TestContext): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1')
  defer(t, () => server.close())
  await once(server, 'listening')
  return (server.address() as net.AddressInfo).port
}
