/** Headers by which browsers say where a request comes from. */
export interface OriginHeaders {
  'sec-fetch-site'?: string | undefined
  origin?: string | undefined
  host?: string | undefined
}

/** Whether a request comes from a page of the same origin, or from no page: programs send neither header. */
export function isSameOrigin({ 'sec-fetch-site': site, origin, host }: OriginHeaders): boolean {
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return false
  if (origin === undefined) return true
  return URL.canParse(origin) && new URL(origin).host === host?.toLowerCase()
}
