import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { defer } from './monohull.ts'

/** Split in two, as oauth2-proxy does with one that is larger than 4 KB. */
const session = ['_oauth2_proxy_0', '_oauth2_proxy_1']

/**
 * A server with the pages of oauth2-proxy as its manual describes them: `/oauth2/auth` for nginx, a form at `/oauth2/sign_in`, to which it posts
 * name, password and the address to return to, and `/oauth2/sign_out`. It follows `rd` on the same host only. Returns its port.
 */
export async function startLoginServer(t: TestContext): Promise<number> {
  const server = http.createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost')
    let body = ''
    for await (const chunk of request) body += chunk
    const form = new URLSearchParams(body)
    const rd = form.get('rd') ?? searchParams.get('rd') ?? '/'
    const target = /^\/(?![/\\])/.test(rd) ? rd : '/'
    const cookies = request.headers.cookie ?? ''
    if (pathname === '/oauth2/auth') {
      if (!session.every(name => cookies.includes(`${name}=anne`))) return response.writeHead(401).end()
      return response.writeHead(202, { 'X-Auth-Request-User': 'anne', 'X-Auth-Request-Email': 'anne@a.test' }).end()
    }
    if (pathname === '/oauth2/sign_in' && request.method === 'POST') {
      if (form.get('password') !== 'secret') return response.writeHead(403).end('wrong password')
      const given = session.map(name => `${name}=${form.get('username')}; Path=/; HttpOnly`)
      return response.writeHead(302, { location: target, 'set-cookie': given }).end()
    }
    if (pathname === '/oauth2/sign_in') return response.end(`<form method=post><input name=rd value="${rd}"></form>`)
    if (pathname === '/oauth2/sign_out') {
      const gone = session.map(name => `${name}=; Path=/; Max-Age=0`)
      return response.writeHead(302, { location: target, 'set-cookie': gone }).end()
    }
    response.writeHead(404).end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  defer(t, () => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}
