import { formatAddress, isIpv6 } from '../base/address.ts'
import { isHostName } from '../base/host-name.ts'

/** Target of the requests for a host. */
export type DynamicTarget =
  /** App or upstream of the configuration, resolved when it is used. */
  { kind: 'name'; name: string } | { kind: 'address'; address: string; port: number }

/** Value read from a text, or the problem with its fix. */
export type Reading<T> = { ok: true; value: T } | { ok: false; problem: string; fix: string }

/** Reason for the failure of route commands while dynamic_routes is not set, with its fix. */
export const withoutDynamicRoutes = 'dynamic_routes is not set\n  fix: set dynamic_routes: {store: file}, and restart'

const programName = /^[a-z0-9]+(-[a-z0-9]+)*$/
const example = 'name one host, such as shop.example.com'

/**
 * Host name in lower case. Names of one label and addresses are rejected: requests for them are routed as without
 * dynamic routes, so that health checks by address work.
 */
export function readRouteHost(text: string): Reading<string> {
  const host = text.toLowerCase()
  const no = (problem: string, fix = example) => ({ ok: false as const, problem, fix })
  if (host.includes('*')) return no('is a wildcard, which is not supported', `${example}, or use routes with host`)
  if (/[^\x20-\x7e]/.test(host)) return no('is not in ASCII', 'write it as browsers send it, such as xn--…')
  if (!isHostName(host)) return no('is not a host name')
  if (!host.includes('.')) return no('is a single word')
  if (!/\.[a-z_][^.]*$/.test(host)) return no('is an address')
  return { ok: true, value: host }
}

/** Target such as `web`, `10.0.0.2:5000` or `[2001:db8::2]:5000`. Addresses that cannot be a server of the user are rejected. */
export function readRouteTarget(text: string): Reading<DynamicTarget> {
  if (programName.test(text) && text.length <= 32) return { ok: true, value: { kind: 'name', name: text } }
  const {
    ipv4,
    ipv6,
    port = '',
  } = /^(?:(?<ipv4>[\d.]+)|\[(?<ipv6>[\da-f:.]+)\]):(?<port>\d{1,5})$/i.exec(text)?.groups ?? {}
  const address = ipv4 === undefined ? ipv6 && canonicalIpv6(ipv6) : canonicalIpv4(ipv4)
  if (!address || Number(port) < 1 || Number(port) > 65535) {
    if (/^[\w.-]+:\d+$/.test(text) && !ipv4)
      return { ok: false, problem: 'is a name that needs DNS', fix: 'add it to upstreams, and name the upstream' }
    const fix = 'name an app, an upstream, or an address such as 10.0.0.2:5000 or [2001:db8::2]:5000'
    return { ok: false, problem: 'is not a valid target', fix }
  }
  if (isForbidden(address)) {
    const problem = 'is not allowed: it is unspecified, link-local (clouds serve credentials there) or multicast'
    return { ok: false, problem, fix: "name the server's address in its network" }
  }
  return { ok: true, value: { kind: 'address', address, port: Number(port) } }
}

/** Text of a target, as `readRouteTarget` reads it. */
export function formatTarget(target: DynamicTarget): string {
  if (target.kind === 'name') return target.name
  const { address, port } = target
  return formatAddress(address, port)
}

function canonicalIpv4(text: string): string | undefined {
  const parts = text.split('.')
  return parts.length === 4 && parts.every(part => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255)
    ? text
    : undefined
}

/** Canonical form. An address can be written in many ways, and a check of one would miss the others. */
function canonicalIpv6(text: string): string | undefined {
  try {
    return new URL(`http://[${text}]`).hostname.slice(1, -1)
  } catch {
    return undefined // not an address
  }
}

/** Whether a canonical address is rejected. IPv6 addresses that contain an IPv4 address would bypass the rules for it. */
function isForbidden(address: string): boolean {
  if (isIpv6(address)) {
    const containsIpv4 = (address.startsWith('::') && address !== '::1') || /^(64:ff9b|2002):/.test(address)
    return containsIpv4 || /^(fe[89a-f]|ff)[0-9a-f]/.test(address) || address === 'fd00:ec2::254'
  }
  const [first = 0, second = 0] = address.split('.').map(Number)
  return first === 0 || first >= 224 || (first === 169 && second === 254)
}
