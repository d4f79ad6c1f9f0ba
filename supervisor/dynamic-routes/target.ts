import { formatAddress, isIpv6 } from '../base/address.ts'
import { networkMatcher } from '../base/network.ts'
import { forbiddenNetworks } from './forbidden-networks.ts'
import type { Reading } from './reading.ts'

/** Target of the requests for a host. */
export type DynamicTarget =
  /** App or upstream of the configuration, resolved when it is used. */
  { kind: 'name'; name: string } | { kind: 'address'; address: string; port: number }

const isInForbidden = networkMatcher(forbiddenNetworks)

const programName = /^[a-z0-9]+(-[a-z0-9]+)*$/

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
    const problem =
      'is not allowed: it is unspecified, link-local or multicast, or an address where a cloud serves credentials'
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

/** Whether a canonical address is rejected. */
function isForbidden(address: string): boolean {
  const containsIpv4 = isIpv6(address) && address.startsWith('::') && address !== '::1'
  return containsIpv4 || isInForbidden(address)
}
