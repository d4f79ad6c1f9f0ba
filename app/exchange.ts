import type { IncomingMessage } from 'node:http'

/** Process that handles the request. */
export interface WorkerProcess {
  /** Environment; only MONOHULL_APP, MONOHULL_WORKER, MONOHULL_SLOT and MONOHULL_WORKERS are read. */
  env: Readonly<Record<string, string | undefined>>
  pid: number
  uptimeSeconds: () => number
}

/** One request and the worker that handles it, as returned by `GET /api/worker`. Null means unknown. */
export interface Exchange {
  /** Identity of the worker; null if the app was started without monohull. */
  monohull: { app: string | null; worker: string; slot: number | null; workers: number | null } | null
  pid: number
  node: string
  uptimeSeconds: number
  /** Requests that this process has received, including this one. */
  requests: number
  client: { address: string | null; protocol: 'http' | 'https'; host: string | null }
  /** Visitor's TLS connection, as reported by nginx. The certificate in use is not included. */
  tls: { protocol: string | null; cipher: string | null; serverName: string | null } | null
  /** HTTP version of the connection on which this process received the request. */
  httpVersion: string
  /** Header values; credentials are replaced by their length. */
  headers: Record<string, string>
}

/** Headers that scripts in the browser must not read (HttpOnly cookies), so no response repeats them. */
const credentials = new Set(['authorization', 'cookie', 'proxy-authorization'])

/** Description of a request. Forwarded headers count only if nginx sets them. */
export function describeExchange(worker: WorkerProcess, requests: number, request: IncomingMessage): Exchange {
  const monohull = describeWorker(worker.env)
  const forwarded = (name: string) => (monohull ? textOf(request.headers[name]) : null)
  const protocol = forwarded('x-forwarded-proto') === 'https' ? 'https' : 'http'
  return {
    monohull,
    pid: worker.pid,
    node: process.version,
    uptimeSeconds: Math.floor(worker.uptimeSeconds()),
    requests,
    client: {
      address: forwarded('x-real-ip') ?? request.socket.remoteAddress ?? null,
      protocol,
      host:
        hostOf(protocol, forwarded('x-forwarded-host'), forwarded('x-forwarded-port')) ?? textOf(request.headers.host),
    },
    tls:
      protocol === 'https'
        ? {
            protocol: forwarded('x-ssl-protocol'),
            cipher: forwarded('x-ssl-cipher'),
            serverName: forwarded('x-ssl-server-name'),
          }
        : null,
    httpVersion: request.httpVersion,
    headers: readableHeaders(request),
  }
}

function describeWorker(env: WorkerProcess['env']): Exchange['monohull'] {
  const worker = env.MONOHULL_WORKER
  if (!worker) return null
  return {
    app: env.MONOHULL_APP ?? null,
    worker,
    slot: wholeNumber(env.MONOHULL_SLOT),
    workers: wholeNumber(env.MONOHULL_WORKERS),
  }
}

function wholeNumber(text: string | undefined): number | null {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : null
}

function hostOf(protocol: 'http' | 'https', host: string | null, port: string | null): string | null {
  if (!host || !port || port === (protocol === 'https' ? '443' : '80')) return host
  return `${host}:${port}`
}

function textOf(value: string | string[] | undefined): string | null {
  const text = Array.isArray(value) ? value.join(', ') : value
  return text ? text : null
}

function readableHeaders(request: IncomingMessage): Record<string, string> {
  const headers = Object.entries(request.headers).map(([name, value]) => {
    const text = textOf(value) ?? ''
    return [name, credentials.has(name) ? `(hidden, ${text.length} characters)` : text]
  })
  return Object.fromEntries(headers)
}
