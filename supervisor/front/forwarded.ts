/** Whose word is taken about where a request came from. */
export interface Trust {
  /** Addresses and networks of proxies in front. */
  proxies: readonly string[]
  /** They say it in a PROXY protocol header, and not in HTTP. */
  proxyProtocol: boolean
  /** Whether the app gets a Forwarded header (RFC 7239). */
  forwardedHeader: boolean
}

const forwarded = `'for=$monohull_forwarded_for$monohull_forwarded_host;proto=$monohull_proto'`

/** For the http block: what snippets/forwarded.conf builds on. */
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

/** A balancer that speaks the PROXY protocol reads no HTTP: the headers behind it are the client's. */
function renderIsTrusted(proxies: readonly string[]): string[] {
  if (proxies.length === 0) return [`map '' $monohull_is_trusted { default 0; }`]
  return [
    'geo $realip_remote_addr $monohull_is_trusted {',
    '    default 0;',
    ...proxies.map(network => `    ${network} 1;`),
    '}',
  ]
}

/** For `listen`. */
export function listenProtocol({ proxyProtocol }: Trust): string {
  return proxyProtocol ? ' proxy_protocol' : ''
}

/** Whether what comes to the HTTP port may have come to a balancer over HTTPS: then it is served, not sent there again. */
export function mayComeByHttps({ proxies, proxyProtocol }: Trust): boolean {
  return proxies.length > 0 && !proxyProtocol
}

/** For the http block: which requests to the HTTP port are sent to HTTPS; those to the `open` paths never are, nor those of a CA that nginx answers. */
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
