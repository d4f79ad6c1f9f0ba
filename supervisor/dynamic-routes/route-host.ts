import { domainToASCII } from 'node:url'
import { isHostName } from '../base/host-name.ts'
import type { Reading } from './reading.ts'

const example = 'name one host, such as shop.example.com, or all below a domain, such as *.example.com'

/** Most hosts, as they are written already. A file may have a million of them. */
const plain = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/

/**
 * Host name or wildcard of a route: in lower case, international names in the form that browsers send (`xn--…`), without a dot at the end. Names
 * of one label and addresses are rejected: requests for them are routed as without dynamic routes, so that health checks by address work.
 */
export function readRouteHost(text: string): Reading<string> {
  if (text.length <= 253 && plain.test(text)) return { ok: true, value: text }
  const wildcard = text.startsWith('*.') ? '*.' : ''
  const name = toAscii(text.slice(wildcard.length)).toLowerCase().replace(/\.$/, '')
  const host = wildcard + name
  const no = (problem: string, fix = example) => ({ ok: false as const, problem, fix })
  if (name.includes('*')) return no('has a * inside; a wildcard begins with *. and has no other')
  if (/[^\x20-\x7e]/.test(name)) return no('is not in ASCII, and has no form in ASCII')
  if (!isHostName(host)) return no('is not a host name')
  if (!host.includes('.')) return no('is a single word')
  if (!/\.[a-z_][^.]*$/.test(host)) return no('is an address')
  return { ok: true, value: host }
}

/** Names under which a store may have a route for a host: the host itself, then the wildcards that match it, the longest first. */
export function candidatesOf(host: string): string[] {
  const labels = host.split('.')
  return [host, ...labels.slice(1).map((_, index) => `*.${labels.slice(index + 1).join('.')}`)]
}

/** Whether a name is a wildcard such as `*.example.com`, which matches hosts of any depth below. */
export function isWildcard(name: string): boolean {
  return name.startsWith('*.')
}

function toAscii(name: string): string {
  return /[^\x00-\x7f]/.test(name) ? domainToASCII(name) || name : name
}
