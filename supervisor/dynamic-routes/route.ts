import { formatAddress, isIpv6 } from '../base/address.ts'
import { isHostName } from '../base/host-name.ts'

/** Where requests for a host go. */
export type DynamicTarget =
  /** An app or an upstream of the configuration; which one is looked up when it counts. */
  { kind: 'name'; name: string } | { kind: 'address'; address: string; port: number }

/** What a text was read as, or why not and what to do about it. */
export type Reading<T> = { ok: true; value: T } | { ok: false; problem: string; fix: string }

/** Why there are no dynamic routes, and what to do about it. */
export const withoutDynamicRoutes =
  'there are none without dynamic_routes\n  fix: set dynamic_routes: {store: file}, and start again'

const programName = /^[a-z0-9]+(-[a-z0-9]+)*$/
const example = 'name one host, such as shop.example.com'

/**
 * A host name in lower case. Names of one label and addresses are none: requests for them go where they would without
 * dynamic routes, so that health checks by address work.
 */
export function readRouteHost(text: string): Reading<string> {
  const host = text.toLowerCase()
  const no = (problem: string, fix = example) => ({ ok: false as const, problem, fix })
  if (host.includes('*')) return no('is no single host: there are no wildcards', `${example}, or use routes with host`)
  if (/[^\x20-\x7e]/.test(host)) return no('is no host name in ASCII', 'write it as browsers send it, such as xn--…')
  if (!isHostName(host)) return no('is no host name')
  if (!host.includes('.')) return no('is a single word')
  if (!/\.[a-z_][^.]*$/.test(host)) return no('is an address')
  return { ok: true, value: host }
}

/** `web`, `10.0.0.2:5000` or `[2001:db8::2]:5000`. What is never a server of the user's is refused. */
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
      return { ok: false, problem: 'has a name to look up', fix: 'make it an upstream, and name that' }
    const fix = 'name an app, an upstream, or an address such as 10.0.0.2:5000 or [2001:db8::2]:5000'
    return { ok: false, problem: 'is no target', fix }
  }
  if (isForbidden(address)) {
    const problem =
      'is no address of a server: unspecified, link-local (where clouds keep credentials) and multicast ones are not'
    return { ok: false, problem, fix: 'name the address that the server has in its network' }
  }
  return { ok: true, value: { kind: 'address', address, port: Number(port) } }
}

/** As it is read. */
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

/** One address is written in many ways, and what is forbidden in one would not be seen in another. */
function canonicalIpv6(text: string): string | undefined {
  try {
    return new URL(`http://[${text}]`).hostname.slice(1, -1)
  } catch {
    return undefined // none
  }
}

/** Expects an address in its one form. Those that hold an IPv4 address would be a way around what is forbidden there. */
function isForbidden(address: string): boolean {
  if (isIpv6(address)) {
    const holdsIpv4 = (address.startsWith('::') && address !== '::1') || /^(64:ff9b|2002):/.test(address)
    return holdsIpv4 || /^(fe[89a-f]|ff)[0-9a-f]/.test(address) || address === 'fd00:ec2::254'
  }
  const [first = 0, second = 0] = address.split('.').map(Number)
  return first === 0 || first >= 224 || (first === 169 && second === 254)
}
