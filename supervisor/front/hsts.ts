/** What browsers are told. `from`: who ends TLS, and has the certificate that counts. */
export interface Hsts {
  value: string
  from: 'everywhere' | 'proxies'
}

/** For the http block: over HTTPS only (RFC 6797, 7.2), and unless the app says something else. */
export function renderHsts({ value, from }: Hsts): string[] {
  const scheme = from === 'everywhere' ? '$monohull_proto' : '$monohull_is_trusted:$http_x_forwarded_proto'
  const wanted = from === 'everywhere' ? 'https:' : '1:https:'
  const source = `${scheme}:$upstream_http_strict_transport_security`
  return ['', '# tls.hsts', `map ${source} $monohull_hsts { default ''; ${wanted} '${value}'; }`]
}

/** For rendered/headers.conf. */
export const hstsHeader = 'add_header Strict-Transport-Security $monohull_hsts always;'
