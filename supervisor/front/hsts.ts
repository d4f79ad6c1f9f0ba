/** HSTS header. `from`: the TLS connections it is sent over, all of them or only those that trusted proxies terminate. */
export interface Hsts {
  value: string
  from: 'everywhere' | 'proxies'
}

/** Lines for the http block. The header is sent over HTTPS only (RFC 6797, 7.2), unless the app sets it itself. */
export function renderHsts({ value, from }: Hsts): string[] {
  const scheme = from === 'everywhere' ? '$monohull_proto' : '$monohull_is_trusted:$http_x_forwarded_proto'
  const secure = from === 'everywhere' ? 'https:' : '1:https:'
  const source = `${scheme}:$upstream_http_strict_transport_security`
  return ['', '# tls.hsts', `map ${source} $monohull_hsts { default ''; ${secure} '${value}'; }`]
}

/** Directive for rendered/headers.conf. */
export const hstsHeader = 'add_header Strict-Transport-Security $monohull_hsts always;'
