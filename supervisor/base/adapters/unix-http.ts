import { request } from 'node:http'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'

/** HTTP request over a unix socket. */
export interface SocketRequest {
  method: 'GET' | 'POST'
  path: string
  headers?: Readonly<Record<string, string>>
  body?: string
  /** Timeout from the request to the end of the response; undefined: none. */
  timeoutMs?: number | undefined
}

/** HTTP response from a unix socket. */
export interface SocketResponse {
  status: number
  body: string
}

/** Sends an HTTP request to a unix socket over a new connection. Rejects if there is no complete response in time. */
export function requestSocket(
  socketPath: string,
  { method, path, headers, body, timeoutMs }: SocketRequest,
): Promise<SocketResponse> {
  const signal = timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs)
  return new Promise((resolve, reject) => {
    const fail = (error: unknown) =>
      reject(signal?.aborted ? new Error(`no response within ${Number(timeoutMs) / 1000} s`) : error)
    const sent = request(
      { socketPath, method, path, headers, agent: false, ...(signal ? { signal } : {}) },
      response => {
        text(response).then(body => resolve({ status: response.statusCode ?? 0, body }), fail)
      },
    )
    sent.on('error', fail)
    sent.end(body)
  })
}

/**
 * Follows a response of lines on a unix socket: calls `onLine` for each. Resolves when it ends, which may be when the other side is gone.
 * Rejects if there is no connection; a status other than 200 resolves with its response.
 */
export function followSocket(
  socketPath: string,
  path: string,
  onLine: (line: string) => void,
): Promise<SocketResponse | undefined> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, path, agent: false }, response => {
      if (response.statusCode !== 200) {
        text(response).then(body => resolve({ status: response.statusCode ?? 0, body }), reject)
        return
      }
      response.on('error', () => resolve(undefined)) // the other side is gone
      createInterface({ input: response })
        .on('line', onLine)
        .on('error', () => resolve(undefined))
        .on('close', () => resolve(undefined))
    })
    sent.on('error', reject)
    sent.end()
  })
}

/** Body of a response with status 200; undefined if there is none within two seconds. */
export async function getText(socketPath: string, path: string): Promise<string | undefined> {
  try {
    const { status, body } = await requestSocket(socketPath, { method: 'GET', path, timeoutMs: 2000 })
    return status === 200 ? body : undefined
  } catch {
    return undefined // nothing listens, or it is busy
  }
}

/** Posts a text. Rejects unless the response has status 200 and arrives within five seconds. */
export async function postText(socketPath: string, body: string): Promise<void> {
  const { status } = await requestSocket(socketPath, { method: 'POST', path: '/', body, timeoutMs: 5000 })
  if (status !== 200) throw new Error(`the response has status ${status}`)
}
