import { request } from 'node:http'

const timeoutMs = 5000

/** Sends a text to a server on a unix socket; rejects unless it answers 200 in time. */
export function postText(socketPath: string, body: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(timeoutMs)
    const options = { socketPath, method: 'POST', path: '/', agent: false, signal }
    const sent = request(options, response => {
      response.resume()
      if (response.statusCode === 200) resolve()
      else reject(new Error(`it answers ${response.statusCode}`))
    })
    sent.on('error', error => reject(signal.aborted ? new Error(`nothing came within ${timeoutMs / 1000} s`) : error))
    sent.end(body)
  })
}
