import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { defer } from './monohull.ts'

/** A server elsewhere that tells its name; its address. */
export async function startBackend(t: TestContext, name: string): Promise<string> {
  const server = http.createServer((request, response) => {
    request.resume()
    response.end(JSON.stringify({ name }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  defer(t, () => {
    server.closeAllConnections()
    server.close()
  })
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}
