import http from 'node:http'
import https from 'node:https'
import type { Gatekeeper } from '../../acme/authority.ts'

const timeoutMs = 5000

/** Gatekeeper that asks the user's endpoint: 200 allows a name, a status of 500 or more is no decision, and any other refuses it. */
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
          if (statusCode >= 500) reject(new Error(`${asked.origin} responded ${statusCode}`))
          else resolve(statusCode === 200)
        })
        request.on('error', error => {
          const reason = signal.aborted ? `no response within ${timeoutMs / 1000} s` : error.message
          reject(new Error(`${asked.origin} does not respond: ${reason}`, { cause: error }))
        })
      })
    },
  }
}
