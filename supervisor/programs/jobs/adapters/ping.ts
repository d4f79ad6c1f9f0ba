import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { systemClock } from '../../../base/adapters/system-clock.ts'
import { pause } from '../../../base/clock.ts'

const timeoutMs = 10_000
/** Delays before further tries. */
const delaysMs = [1000, 10_000]

/** Requests a URL, three times at most. Rejects unless a response has a status of success. */
export async function ping(url: string): Promise<void> {
  for (const delayMs of delaysMs) {
    try {
      return await get(url)
    } catch {
      await pause(systemClock, delayMs)
    }
  }
  await get(url)
}

function get(url: string): Promise<void> {
  const request = url.startsWith('https:') ? requestHttps : requestHttp
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(timeoutMs)
    const sent = request(url, { agent: false, headers: { 'user-agent': 'monohull' }, signal }, response => {
      response.resume()
      const { statusCode = 0 } = response
      if (statusCode >= 200 && statusCode < 300) resolve()
      else reject(new Error(`the response has status ${statusCode}`))
    })
    sent.on('error', error => reject(signal.aborted ? new Error(`no response within ${timeoutMs / 1000} s`) : error))
    sent.end()
  })
}
