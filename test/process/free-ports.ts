import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import net, { type AddressInfo } from 'node:net'

/** Free ports, all different, and below those that the kernel gives to whoever asks for any: nobody else gets them meanwhile. */
export async function freePorts(count: number): Promise<number[]> {
  const servers: net.Server[] = []
  while (servers.length < count) {
    const server = net.createServer().listen(randomInt(12_000, 32_000), '127.0.0.1')
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false, // in use
    )
    if (isFree) servers.push(server)
  }
  const ports = servers.map(server => (server.address() as AddressInfo).port)
  for (const server of servers) server.close()
  return ports
}
