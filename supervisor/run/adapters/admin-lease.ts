import { type IncomingMessage, request } from 'node:http'
import { text } from 'node:stream/consumers'
import type { Outcome } from '../../base/outcome.ts'
import { expectTrustedSocket, explain } from './admin-client.ts'

/** Something that the running instance lends while this process holds the connection. */
export interface Lease<T> {
  ok: true
  lent: T
  /** Settles when the instance has ended it. */
  ended: Promise<void>
  release(): void
}

/** Borrows what a POST to `path` responds with in its first line. Throws an OperatorError if there is no response. */
export function borrow<T>(
  socketPath: string,
  path: string,
): Promise<Lease<T> | (Extract<Outcome, { ok: false }> & { ok: false })> {
  expectTrustedSocket(socketPath)
  return new Promise((resolve, reject) => {
    const fail = (error: unknown) => reject(explain(socketPath, error))
    const sent = request({ socketPath, method: 'POST', path, agent: false }, response => {
      if (response.statusCode === 200) void readFirst(response)
      else text(response).then(body => resolve(JSON.parse(body)), fail)
    })
    async function readFirst(response: IncomingMessage): Promise<void> {
      const ended = new Promise<void>(settle => response.once('close', settle))
      let head = ''
      response.setEncoding('utf8').on('data', (chunk: string) => {
        head += chunk
        const [line = '', rest] = head.split('\n', 2)
        if (rest === undefined) return
        response.removeAllListeners('data').resume()
        resolve({ ok: true, lent: JSON.parse(line), ended, release: () => sent.destroy() })
      })
      await ended
      fail(new Error('it ended'))
    }
    sent.on('error', fail)
    sent.end()
  })
}
