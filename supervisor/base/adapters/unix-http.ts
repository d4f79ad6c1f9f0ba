import { request } from 'node:http'
import { text } from 'node:stream/consumers'

export interface SocketRequest {
  method: 'GET' | 'POST'
  path: string
  body?: string
  /** From the question to the end of the answer; none: as long as it takes. */
  timeoutMs?: number | undefined
}

export interface SocketAnswer {
  status: number
  body: string
}

/** Asks an HTTP server on a unix socket, over a connection of its own. Rejects when there is no whole answer in time. */
export function askSocket(socketPath: string, { method, path, body, timeoutMs }: SocketRequest): Promise<SocketAnswer> {
  const signal = timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs)
  return new Promise((resolve, reject) => {
    const fail = (error: unknown) =>
      reject(signal?.aborted ? new Error(`nothing came within ${Number(timeoutMs) / 1000} s`) : error)
    const sent = request({ socketPath, method, path, agent: false, ...(signal ? { signal } : {}) }, response => {
      text(response).then(answer => resolve({ status: response.statusCode ?? 0, body: answer }), fail)
    })
    sent.on('error', fail)
    sent.end(body)
  })
}

/** The body of a 200; undefined when there is none within two seconds. */
export async function getText(socketPath: string, path: string): Promise<string | undefined> {
  try {
    const { status, body } = await askSocket(socketPath, { method: 'GET', path, timeoutMs: 2000 })
    return status === 200 ? body : undefined
  } catch {
    return undefined // nobody is there, or busy
  }
}

/** Sends a text; rejects unless it is answered with 200 within five seconds. */
export async function postText(socketPath: string, body: string): Promise<void> {
  const { status } = await askSocket(socketPath, { method: 'POST', path: '/', body, timeoutMs: 5000 })
  if (status !== 200) throw new Error(`it answers ${status}`)
}
