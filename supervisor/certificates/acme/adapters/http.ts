import type { IncomingHttpHeaders } from 'node:http'
import https from 'node:https'
import { UnreachableError } from '../plan.ts'

/** Request to a certificate authority. */
export interface AcmeHttpRequest {
  method: 'GET' | 'HEAD' | 'POST'
  url: string
  body?: string
  /** PEM roots to trust instead of Node's built-in ones. */
  ca: string | undefined
  /** Aborts the request. */
  signal: AbortSignal
}

/** Response of a certificate authority. */
export interface AcmeHttpResponse {
  status: number
  headers: IncomingHttpHeaders
  text: string
}

const timeoutMs = 30_000
const maxBodyLength = 1_000_000

/** Sends a request to a certificate authority. Rejects with an UnreachableError without a response. Uses node:https, because fetch does not support custom roots. */
export function requestAcme({ method, url, body, ca, signal }: AcmeHttpRequest): Promise<AcmeHttpResponse> {
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
          if (text.length > maxBodyLength) request.destroy(new Error('the response is too long'))
        })
        response.on('error', reject)
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }))
      },
    )
    request.on('error', error =>
      reject(new UnreachableError(`cannot reach ${new URL(url).host}: ${error.message}`, { cause: error })),
    )
    request.end(body)
  })
}
