import type { Reading } from '../reading.ts'

/** Target such as `10.0.0.2:80`, from the URL of a server in another proxy's configuration. */
export function readServerUrl(url: string): Reading<string> {
  const {
    scheme,
    host,
    port = '80',
  } = /^(?:(?<scheme>[a-z0-9+.-]+):\/\/)?(?<host>\[[^\]\s/]+\]|[^\s:/?#@[\]]+)(?::(?<port>\d+))?\/?$/i.exec(url)
    ?.groups ?? {}
  if (host === undefined)
    return { ok: false, problem: 'has a server that is not http://ADDRESS:PORT', fix: 'name it without a path' }
  if (scheme !== undefined && scheme.toLowerCase() !== 'http')
    return {
      ok: false,
      problem: `has a server with ${scheme}, which is not supported`,
      fix: 'use http, or an upstream',
    }
  return { ok: true, value: `${host}:${port}` }
}

/** Servers with their weights, one entry each: a server that is listed twice counts twice. */
export function weighServers(servers: readonly { server: string; weight: number }[]): string[] {
  const weights = new Map<string, number>()
  for (const { server, weight } of servers) weights.set(server, (weights.get(server) ?? 0) + weight)
  return [...weights].map(([server, weight]) => (weight === 1 ? server : `${server} weight=${weight}`))
}
