import http from 'node:http'
import https from 'node:https'
import type { Gatekeeper } from '../../acme/authority.ts'

const timeoutMs = 5000

/** Asks the user's own endpoint whether a name may have a certificate: 200 is yes, an error of the server's is no answer. */
export function createGatekeeper(url: string): Gatekeeper {
  return {
    isAllowed(name) {
      const asked = new URL(url)
      asked.searchParams.set('domain', name)
      const signal = AbortSignal.timeout(timeoutMs)
      const options = { agent: false, headers: { 'user-agent': 'monohull' }, signal }
      return new Promise((resolve, reject) => {
        const client = asked.protocol === 'https:' ? https : http
        const request = client.get(asked, options, response => {
          const { statusCode = 0 } = response
          response.destroy()
          if (statusCode >= 500) reject(new Error(`${asked.origin} answers ${statusCode}`))
          else resolve(statusCode === 200)
        })
        request.on('error', error => {
          const reason = signal.aborted ? `nothing came within ${timeoutMs / 1000} s` : error.message
          reject(new Error(`${asked.origin} does not answer: ${reason}`, { cause: error }))
        })
      })
    },
  }
}
