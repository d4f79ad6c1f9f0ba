import { get } from 'node:http'
import { text } from 'node:stream/consumers'

const timeoutMs = 2000

/** The body of a 200 from a server on a unix socket; undefined when there is none in time. */
export function getText(socketPath: string, path: string): Promise<string | undefined> {
  return new Promise(resolve => {
    const request = get({ socketPath, path, agent: false, signal: AbortSignal.timeout(timeoutMs) }, response => {
      text(response).then(
        body => resolve(response.statusCode === 200 ? body : undefined),
        () => resolve(undefined),
      )
    })
    request.on('error', () => resolve(undefined))
  })
}
