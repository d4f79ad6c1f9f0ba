import { authUpstreamName } from '../front/auth-url.ts'
import { type UpstreamConfig, upstream } from '../upstreams/keys.ts'
import type { Route } from './keys.ts'

/** Upstreams by name for the auth servers that routes name by their URLs. Its certificate must contain the name in the URL. */
export function authUpstreams(routes: readonly Route[]): Record<string, UpstreamConfig> {
  const usual = upstream.parse({ servers: ['localhost:80'] })
  const servers = routes.flatMap(({ settings }) => settings.forward_auth?.server ?? [])
  return Object.fromEntries(
    servers.map(server => {
      const { host, port, hostHeader, isHttps } = server
      const only = { host, port, weight: 1, isBackup: false }
      const tls = isHttps ? { name: host, verify: true } : undefined
      return [authUpstreamName(server), { ...usual, servers: [only], host: hostHeader, tls }]
    }),
  )
}
