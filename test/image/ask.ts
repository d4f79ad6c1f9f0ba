import http from 'node:http'
import https from 'node:https'
import type { PeerCertificate, TLSSocket } from 'node:tls'

export interface Answer {
  status: number
  headers: http.IncomingHttpHeaders
  body: string
  /** What the server presented; undefined over http. */
  certificate: PeerCertificate | undefined
}

export interface Question {
  method?: string
  headers?: Record<string, string>
  body?: string
  timeoutMs?: number
}

/** One request on a connection of its own; any certificate is taken. Rejects when no whole answer comes. */
export function ask(
  url: string,
  { method = 'GET', headers = {}, body, timeoutMs = 10_000 }: Question = {},
): Promise<Answer> {
  const isSecure = url.startsWith('https:')
  return new Promise((resolve, reject) => {
    const options = { method, headers, agent: false as const, timeout: timeoutMs, rejectUnauthorized: false }
    const request = (isSecure ? https : http).request(url, options, response => {
      const certificate = isSecure ? (response.socket as TLSSocket).getPeerCertificate() : undefined
      let text = ''
      response.setEncoding('utf8')
      response.on('data', chunk => {
        text += chunk
      })
      response.on('error', reject)
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text, certificate }),
      )
    })
    request.on('timeout', () => request.destroy(new Error(`no answer from ${url} within ${timeoutMs} ms`)))
    request.on('error', reject)
    request.end(body)
  })
}
