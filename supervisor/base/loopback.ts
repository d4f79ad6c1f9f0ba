import { canonicalAddress } from './address.ts'

/** Whether only this machine can reach an IP address. */
export function isLoopback(address: string): boolean {
  const canonical = canonicalAddress(address)
  return canonical !== undefined && (canonical === '::1' || canonical.startsWith('127.'))
}

/**
 * Whether a Host header names this machine by an IP address or as localhost. Another name may be one that a hostile page resolves to
 * 127.0.0.1, to read in a visitor's browser what only this machine can reach (DNS rebinding).
 */
export function isLocalHost(host: string | undefined): boolean {
  if (host === undefined || !URL.canParse(`http://${host}/`)) return false
  const { hostname } = new URL(`http://${host}/`)
  return /(^|\.)localhost$/.test(hostname) || canonicalAddress(hostname.replace(/^\[|\]$/g, '')) !== undefined
}
