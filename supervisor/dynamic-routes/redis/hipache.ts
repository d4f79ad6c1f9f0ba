import type { Reading } from '../reading.ts'
import { type DynamicRoute, readRoute } from '../route.ts'
import { readServerUrl, weighServers } from './servers.ts'

/** Route from a list as Hipache has it: an identifier, then the URLs of servers. */
export function readHipacheList([, ...urls]: readonly string[]): Reading<DynamicRoute> {
  if (urls.length === 0)
    return { ok: false, problem: 'has no server after its identifier', fix: 'add one, such as http://10.0.0.2:80' }
  const servers: string[] = []
  for (const url of urls) {
    const server = readServerUrl(url)
    if (!server.ok) return server
    servers.push(server.value)
  }
  return readRoute(weighServers(servers.map(server => ({ server, weight: 1 }))).join(' '))
}
