/** Whether a header is that of HSTS, which may be sent over HTTPS only (RFC 6797, 7.2). */
export function isHsts(name: string): boolean {
  return name.toLowerCase() === 'strict-transport-security'
}
