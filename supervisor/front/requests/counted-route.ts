/** Route under which requests are counted, with its labels. */
export interface CountedRoute {
  /** App or upstream that it leads to; neither for files, redirects and fixed responses. */
  app?: string
  upstream?: string
  /** Path in the configuration. */
  route: string
  /** Configured host, or `_other`; undefined unless `metrics.hosts` is set. */
  host?: string
}

/** Properties of a route that nginx's counters depend on. */
export interface CountedTraits {
  hasCache: boolean
  /** Whether a password, an address or a client certificate is required. */
  isGuarded: boolean
  /** Whether the request goes on to another location, which counts instead. */
  isPreliminary: boolean
}

/** Label for requests to a host that is not configured. */
export const otherHost = '_other'

/**
 * Id of a counted route in nginx, the same on every reload. `match` keeps apart routes whose paths are equal. The capital letters are
 * the flags that nginx/lua/monohull/requests.lua reads.
 */
export function routeId(
  { app, upstream, route, host }: CountedRoute,
  match: string,
  { hasCache, isGuarded, isPreliminary }: CountedTraits,
): string {
  const flags = [app !== undefined && 'A', hasCache && 'C', isGuarded && 'G', isPreliminary && 'L']
  const text = JSON.stringify([app, upstream, route, host, match])
  return `R${flags.filter(Boolean).join('')}${hash(text, 0x811c9dc5)}${hash(text, 0x01234567)}`
}

/** Hash (FNV-1a) in letters and digits. */
function hash(text: string, basis: number): string {
  let value = basis
  for (const character of text) value = Math.imul(value ^ (character.codePointAt(0) ?? 0), 0x01000193)
  return (value >>> 0).toString(36)
}
