import { readFileSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import { gzipSync } from 'node:zlib'
import { messageOf } from '../../../base/errors.ts'
import type { Delivery } from '../exporter.ts'
import type { OtlpSettings } from '../settings.ts'

const retryable = new Set([429, 502, 503, 504])

/** Sender of OTLP/HTTP in JSON, on connections that it keeps. Throws if the file with certificates cannot be read. */
export function createPost({ headers, timeoutMs, isCompressed, certificate }: OtlpSettings): {
  post(url: string, body: string): Promise<Delivery>
  close(): void
} {
  const ca = certificate === undefined ? undefined : readFileSync(certificate)
  const agents = {
    http: new http.Agent({ keepAlive: true, maxSockets: 2 }),
    https: new https.Agent({ keepAlive: true, maxSockets: 2, ...(ca ? { ca } : {}) }),
  }
  return {
    post(url, body) {
      const bytes = isCompressed ? gzipSync(body) : Buffer.from(body)
      const isSecure = url.startsWith('https:')
      return new Promise(resolve => {
        const request = (isSecure ? https : http).request(url, {
          method: 'POST',
          agent: isSecure ? agents.https : agents.http,
          headers: {
            ...headers,
            'content-type': 'application/json',
            'content-length': bytes.length,
            ...(isCompressed ? { 'content-encoding': 'gzip' } : {}),
          },
          signal: AbortSignal.timeout(timeoutMs),
        })
        request.on('response', response => {
          const { statusCode: status = 0 } = response
          const retryMs = Number(response.headers['retry-after']) * 1000
          response.resume()
          response.on('error', () => {})
          if (status >= 200 && status < 300) resolve({ kind: 'delivered' })
          else if (!retryable.has(status)) resolve({ kind: 'rejected', reason: `status ${status}` })
          else resolve({ kind: 'failed', reason: `status ${status}`, ...(retryMs > 0 ? { retryMs } : {}) })
        })
        request.on('error', error => resolve({ kind: 'failed', reason: messageOf(error) }))
        request.end(bytes)
      })
    },
    close() {
      agents.http.destroy()
      agents.https.destroy()
    },
  }
}
