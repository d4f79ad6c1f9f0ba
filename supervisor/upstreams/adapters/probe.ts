import { readFileSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import { messageOf } from '../../base/errors.ts'
import type { UpstreamProbe } from '../checks.ts'

/** Health check by GET on a separate connection. A status below 400 is a success. */
export const upstreamProbe: UpstreamProbe = {
  failureOf: ({ address, port, path, host, tls, timeoutMs }) =>
    new Promise(resolve => {
      const headers = { Host: host, 'User-Agent': 'monohull', Connection: 'close' }
      const options = { host: address, port, path, headers, agent: false as const }
      const onResponse = (response: http.IncomingMessage) => {
        const { statusCode = 0 } = response
        response.destroy()
        finish(statusCode < 400 ? undefined : `status ${statusCode}`)
      }
      let timer: NodeJS.Timeout | undefined
      const finish = (failure: string | undefined) => {
        clearTimeout(timer)
        resolve(failure)
      }
      try {
        const request = tls ? https.get({ ...options, ...tlsOptions(tls) }, onResponse) : http.get(options, onResponse)
        request.on('error', error => finish(messageOf(error)))
        timer = setTimeout(() => request.destroy(new Error(`no response within ${timeoutMs} ms`)), timeoutMs)
      } catch (error) {
        finish(messageOf(error))
      }
    }),
}

function tlsOptions({ name, verify, ca }: { name: string | undefined; verify: boolean; ca?: string | undefined }) {
  return {
    rejectUnauthorized: verify,
    ...(name ? { servername: name } : {}),
    ...(ca ? { ca: readFileSync(ca) } : {}),
  }
}
