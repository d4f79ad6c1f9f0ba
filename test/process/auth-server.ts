import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { defer } from './monohull.ts'

/** Auth server in a test. */
export interface AuthServer {
  port: number
  /** Requests so far, with the bytes of their bodies. */
  asked: { method: string; url: string; headers: http.IncomingHttpHeaders; bodyBytes: number }[]
  /** Status that it responds with instead of judging; `hang`: none; `drop`: it closes the connection. */
  fault: number | 'hang' | 'drop' | undefined
  stop(): Promise<void>
}

/** Headers of a user by the preset whose path was requested. */
const users: Record<string, Record<string, string | string[]>> = {
  '/api/authz/auth-request': { 'Remote-User': 'anne', 'Remote-Groups': 'staff,admins', 'Remote-Email': 'anne@a.test' },
  '/outpost.goauthentik.io/auth/nginx': { 'X-authentik-username': 'anne', 'X-authentik-groups': 'staff|admins' },
  '/oauth2/auth': { 'X-Auth-Request-User': 'anne', 'X-Auth-Request-Email': 'anne@a.test' },
  '/lines': { 'X-Groups': ['staff', 'admins', 'a "b"'], 'X-Only': 'one' },
  '/token': { Authorization: 'Bearer of-anne' },
}

/**
 * A server with the endpoints for nginx of Authelia (authz/auth-request), authentik's outpost and oauth2-proxy, as their manuals describe
 * them. The cookie `session` decides: `anne` is let in, `bert` is denied, and `renew` also gets a new session, split into three cookies.
 */
export async function startAuthServer(t: TestContext): Promise<AuthServer> {
  const server = http.createServer(async (request, response) => {
    const { method = '', url = '', headers } = request
    let bodyBytes = 0
    for await (const chunk of request) bodyBytes += chunk.length
    auth.asked.push({ method, url, headers, bodyBytes })
    const session = /session=(\w+)/.exec(headers.cookie ?? '')?.[1]
    if (auth.fault === 'hang') return
    if (auth.fault === 'drop') return request.socket.destroy()
    if (auth.fault !== undefined) return response.writeHead(auth.fault).end('fault')
    if (!(url in users)) return response.writeHead(404).end()
    // like Authelia
    if (!headers['x-original-url'] || !headers['x-original-method']) return response.writeHead(400).end()
    if (headers['if-none-match'] || headers.range) return response.writeHead(304).end()
    if (session === 'bert') return response.writeHead(403).end()
    if (session === 'anne' || session === 'renew') {
      const renewed = [
        'session_0=a; Path=/; HttpOnly',
        'session_1=b; Path=/; HttpOnly',
        `session_2=${'c'.repeat(9000)}`,
      ]
      if (session === 'renew') response.setHeader('set-cookie', renewed)
      return response.writeHead(url === '/oauth2/auth' ? 202 : 200, users[url]).end('not for the client')
    }
    const target = encodeURIComponent(String(headers['x-original-url']))
    if (url.startsWith('/api/')) response.setHeader('location', `https://auth.test/?rd=${target}&rm=GET`)
    if (url.startsWith('/outpost')) response.setHeader('set-cookie', 'authentik_proxy=started; Path=/')
    return response.writeHead(401).end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  async function stop() {
    if (!server.listening) return
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  }
  defer(t, stop)
  const auth: AuthServer = { port: (server.address() as AddressInfo).port, asked: [], fault: undefined, stop }
  return auth
}
