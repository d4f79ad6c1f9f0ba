import { formatAddress, isIpv6 } from '../base/address.ts'
import { isHostName, isNumeric } from '../base/host-name.ts'

/** Server and path of an auth server that is named by its URL. */
export interface AuthUrl {
  isHttps: boolean
  /** Name or address, without brackets. */
  host: string
  port: number
  /** Value of its Host header: without the port if that is usual for the scheme. */
  hostHeader: string
  /** Path and query; undefined if the URL ends with the host. */
  path: string | undefined
}

const authUrlForm = /^https?:\/\/(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?(\/[A-Za-z0-9._~@+%/?=&-]*)?$/

/** Parts of the URL of an auth server; undefined if the text is not such a URL. */
export function readAuthUrl(text: string): AuthUrl | undefined {
  const [, given, , path] = authUrlForm.exec(text) ?? []
  if (given === undefined || !URL.canParse(text)) return undefined
  const { protocol, hostname, host, port } = new URL(text)
  const isHttps = protocol === 'https:'
  // a URL parser reads 10.1 as 10.0.0.1
  const isGiven = hostname.startsWith('[') || (hostname === given.toLowerCase() && isHostName(hostname))
  if (port === '0' || !isGiven) return undefined
  return {
    isHttps,
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port) || (isHttps ? 443 : 80),
    hostHeader: host,
    path: path === '/' ? undefined : path,
  }
}

/** Name of the upstream for the server of a URL: `https://auth.example.com:443`. Upstreams of the configuration have no such names. */
export function authUpstreamName({ isHttps, host, port }: AuthUrl): string {
  return `${isHttps ? 'https' : 'http'}://${formatAddress(host, port)}`
}

/** Whether nginx can compare a certificate with the host of a URL: it compares names, not addresses. */
export function isVerifiable({ isHttps, host }: AuthUrl): boolean {
  return !isHttps || !(isIpv6(host) || isNumeric(host))
}
