import type { IncomingHttpHeaders } from 'node:http'
import https from 'node:https'

export interface AcmeHttpRequest {
  method: 'GET' | 'HEAD' | 'POST'
  url: string
  body?: string
  /** PEM roots to trust instead of the system's. */
  ca: string | undefined
  /** Ends the request. */
  signal: AbortSignal
}

export interface AcmeHttpAnswer {
  status: number
  headers: IncomingHttpHeaders
  text: string
}

const timeoutMs = 30_000
const longestBody = 1_000_000

/** One request to a certificate authority. node:https, because fetch cannot be given roots of its own. */
export function requestAcme({ method, url, body, ca, signal }: AcmeHttpRequest): Promise<AcmeHttpAnswer> {
  return new Promise((resolve, reject) => {
    const request = https.request(
      url,
      {
        method,
        agent: false,
        headers: {
          'user-agent': 'monohull',
          ...(body === undefined
            ? {}
            : { 'content-type': 'application/jose+json', 'content-length': Buffer.byteLength(body) }),
        },
        ...(ca === undefined ? {} : { ca }),
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
      },
      response => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (part: string) => {
          text += part
          if (text.length > longestBody) request.destroy(new Error('the answer is too long'))
        })
        response.on('error', reject)
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }))
      },
    )
    request.on('error', error =>
      reject(new Error(`cannot reach ${new URL(url).host}: ${error.message}`, { cause: error })),
    )
    request.end(body)
  })
}
