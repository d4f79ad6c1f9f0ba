/** Trust in proxies that report where a request came from. */
export interface Trust {
  /** Addresses and networks of proxies in front. */
  proxies: readonly string[]
  /** Whether they use a PROXY protocol header instead of HTTP headers. */
  proxyProtocol: boolean
  /** Whether the app gets a Forwarded header (RFC 7239). */
  forwardedHeader: boolean
}

/** Ports that clients see. */
export interface PublicPorts {
  http: number
  https: number
}

const forwarded = `'for=$monohull_forwarded_for$monohull_forwarded_host;proto=$monohull_proto'`

/** Lines for the http block: whose forwarded headers count, and their values. */
export function renderTrust({ proxies, proxyProtocol, forwardedHeader }: Trust): string[] {
  const header = forwardedHeader ? forwarded : `''`
  return [
    '# trusted_proxies, proxy_protocol',
    ...proxies.map(network => `set_real_ip_from ${network};`),
    ...(proxies.length > 0
      ? [`real_ip_header ${proxyProtocol ? 'proxy_protocol' : 'X-Forwarded-For'};`, 'real_ip_recursive on;']
      : []),
    ...renderIsTrusted(proxyProtocol ? [] : proxies),
    '# forwarded_header',
    `map '' $monohull_forwarded { default ${header}; }`,
  ]
}

/**
 * Maps of ports, for the http block. nginx does not tell the port in the authority of an HTTP/3 request; it is that of the announcement.
 * `http3Port`: undefined without HTTP/3.
 */
export function renderPublicPorts({ http, https }: PublicPorts, http3Port: number | undefined): string[] {
  return [
    '# public_http_port, public_https_port',
    `map $monohull_proto $monohull_public_port { default ${http}; https ${https}; }`,
    ...(http3Port === undefined || http3Port === 443
      ? [`map '' $monohull_host_suffix { default $monohull_written_port; }`]
      : [
          '# http3',
          `map $server_protocol$http_host $monohull_host_suffix { default $monohull_written_port; HTTP/3.0 :${http3Port}; }`,
        ]),
  ]
}

/** Map of trusted proxies. It is empty with the PROXY protocol: such a balancer does not read HTTP, so the headers are the client's. */
function renderIsTrusted(proxies: readonly string[]): string[] {
  if (proxies.length === 0)
    return [`map '' $monohull_is_trusted { default 0; }`, 'include snippets/forwarded-untrusted.conf;']
  return [
    'geo $realip_remote_addr $monohull_is_trusted {',
    '    default 0;',
    ...proxies.map(network => `    ${network} 1;`),
    '}',
    'include snippets/forwarded-trusted.conf;',
  ]
}

/** Parameter for `listen`. */
export function listenProtocol({ proxyProtocol }: Trust): string {
  return proxyProtocol ? ' proxy_protocol' : ''
}

/** Whether requests on the HTTP port may have reached a proxy over HTTPS. Those are served instead of redirected. */
export function mayComeByHttps({ proxies, proxyProtocol }: Trust): boolean {
  return proxies.length > 0 && !proxyProtocol
}

/** Map of redirected requests on the HTTP port, for the http block. Requests to the `open` paths, and ACME challenges that nginx serves, are never redirected. */
export function renderRedirects(open: readonly string[], acmeChallenges: string | undefined): string[] {
  return [
    '',
    '# https: redirect',
    'map $monohull_proto:$uri $monohull_redirects {',
    '    default 1;',
    `    ~^https: '';`,
    ...(acmeChallenges === undefined ? [] : [`    ~^http:/\\.well-known/acme-challenge/ '';`]),
    ...open.map(path => `    http:${path} '';`),
    '}',
  ]
}
