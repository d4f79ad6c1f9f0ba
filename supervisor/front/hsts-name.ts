/** Whether a header is the one of HSTS, which is for HTTPS alone (RFC 6797, 7.2). */
export function isHsts(name: string): boolean {
  return name.toLowerCase() === 'strict-transport-security'
}
