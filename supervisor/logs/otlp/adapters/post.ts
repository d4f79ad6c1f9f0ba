import { readFileSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import { gzipSync } from 'node:zlib'
import { messageOf } from '../../../base/errors.ts'
import type { Delivery } from '../exporter.ts'
import type { OtlpSettings } from '../settings.ts'

const retryable = new Set([429, 502, 503, 504])
/** Longest response that is read: a receiver says in it what it did not take. */
const maxResponseBytes = 65_536

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
          void readText(response).then(text => resolve(deliveryOf(response, text)))
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

/** Outcome that a response stands for (opentelemetry.io/docs/specs/otlp, "OTLP/HTTP Response"). */
function deliveryOf({ statusCode: status = 0, headers }: http.IncomingMessage, text: string): Delivery {
  if (status >= 200 && status < 300) return { kind: 'delivered', ...refusalIn(text) }
  if (!retryable.has(status)) return { kind: 'rejected', reason: `status ${status}` }
  const retryMs = retryDelay(headers['retry-after'])
  return { kind: 'failed', reason: `status ${status}`, ...(retryMs > 0 ? { retryMs } : {}) }
}

/** Records of a request that the receiver did not take, and why; empty if it took all. */
function refusalIn(text: string): { refused?: number; reason?: string } {
  try {
    const { partialSuccess } = JSON.parse(text) as { partialSuccess?: Record<string, unknown> }
    const { errorMessage, ...counts } = partialSuccess ?? {}
    const refused = Number(counts.rejectedLogRecords ?? counts.rejectedSpans ?? counts.rejectedDataPoints ?? 0)
    return refused > 0 ? { refused, reason: String(errorMessage ?? '') } : {}
  } catch {
    return {} // protobuf, or nothing
  }
}

/** Delay that `Retry-After` asks for: seconds or a date (RFC 9110); 0 if it is neither. */
function retryDelay(value: string | undefined): number {
  const seconds = Number(value)
  return Number.isFinite(seconds) ? seconds * 1000 : Math.max(0, Date.parse(value ?? '') - Date.now()) || 0
}

/** Beginning of a response, also of one that is cut off. */
async function readText(response: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of response) {
      if (bytes < maxResponseBytes) chunks.push(chunk)
      bytes += chunk.length
    }
  } catch {
    // the status counts
  }
  return Buffer.concat(chunks).toString()
}
