/** Protocol that nginx speaks to the servers of an app or upstream, in the configuration's words. */
export const protocols = ['http', 'fastcgi', 'grpc', 'uwsgi'] as const

/** One of `protocols`. */
export type Protocol = (typeof protocols)[number]

/** Protocols as an error lists them: `http, grpc or uwsgi`. */
export function listProtocols(): string {
  return `${protocols.slice(0, -1).join(', ')} or ${protocols.at(-1)}`
}

/** nginx's module for a protocol: its part of directives, and how it sends a header to a server. */
interface ProtocolModule {
  prefix: string
  /** Directives of `proxy_` that this module has too, without the prefix; undefined: all. */
  shared: readonly string[] | undefined
  /** Scheme of `*_pass`; TLS is undefined where nginx has none. */
  schemes: { plain: string; tls: string | undefined }
  /** Whether connections are used for several requests, one after the other. */
  keepsConnections: boolean
}

const everywhere = [
  'buffer_size',
  'connect_timeout',
  'ignore_headers',
  'next_upstream',
  'next_upstream_timeout',
  'next_upstream_tries',
  'read_timeout',
  'send_timeout',
]
// gRPC has trailers, and their announcement in a header
const inCgi = ['buffering', 'buffers', 'busy_buffers_size', 'hide_header', 'max_temp_file_size', 'request_buffering']
const withTls = ['ssl_name', 'ssl_server_name', 'ssl_trusted_certificate', 'ssl_verify', 'ssl_verify_depth']

const modules: Record<Protocol, ProtocolModule> = {
  http: { prefix: 'proxy', shared: undefined, schemes: { plain: 'http://', tls: 'https://' }, keepsConnections: true },
  fastcgi: {
    prefix: 'fastcgi',
    shared: [...everywhere, ...inCgi],
    schemes: { plain: '', tls: undefined },
    keepsConnections: false,
  },
  grpc: {
    prefix: 'grpc',
    shared: [...everywhere, ...withTls],
    schemes: { plain: 'grpc://', tls: 'grpcs://' },
    keepsConnections: true,
  },
  uwsgi: {
    prefix: 'uwsgi',
    shared: [...everywhere, ...inCgi, ...withTls],
    schemes: { plain: 'uwsgi://', tls: 'suwsgi://' },
    keepsConnections: false,
  },
}

/** Line with headers about the client's certificate. */
const clientCertificate = 'include snippets/client-certificate.conf;'

/** Directive that includes the settings for every request in this protocol. */
export function includeSettings(protocol: Protocol): string {
  return `include snippets/${modules[protocol].prefix}.conf;`
}

/** Directive that sends a request to a server group or address. `uri` follows an HTTP address; other protocols send the path in a header. */
export function passTo(protocol: Protocol, address: string, { tls = false, uri = '' } = {}): string {
  const { prefix, schemes } = modules[protocol]
  return `${prefix}_pass ${(tls && schemes.tls) || schemes.plain}${address}${protocol === 'http' ? uri : ''};`
}

/**
 * Lines of a location for requests in this protocol, from those for HTTP: the same directives of nginx's module, and each header for the
 * server. Those that the module lacks have no line.
 */
export function inProtocol(protocol: Protocol, lines: readonly string[]): string[] {
  const { prefix, shared } = modules[protocol]
  if (shared === undefined) return [...lines]
  return lines.flatMap(line => {
    if (line === clientCertificate) return [`include snippets/client-certificate-${prefix}.conf;`]
    const [, name = '', rest = ''] = /^proxy_(\w+) (.*)$/.exec(line) ?? []
    if (name === '') return [line]
    if (name === 'set_header') return [headerLine(protocol, rest)]
    return shared.includes(name) ? [`${prefix}_${name} ${rest}`] : []
  })
}

/** Header for the server. CGI-like protocols have a variable for each; it replaces the client's header of the same name. */
function headerLine(protocol: Protocol, rest: string): string {
  if (protocol === 'grpc') return `grpc_set_header ${rest}`
  const [, name = '', value = ''] = /^(\S+) (.*);$/.exec(rest) ?? []
  return `${modules[protocol].prefix}_param HTTP_${name.toUpperCase().replaceAll('-', '_')} ${value} if_not_empty;`
}

/** Lines for the http block: what snippets/timeouts.conf sets for HTTP, and the given lines, in other protocols. */
export function renderProtocols(used: readonly Protocol[], lines: readonly string[]): string[] {
  const others = protocols.filter(protocol => protocol !== 'http' && used.includes(protocol))
  const ofHttp = lines.filter(line => line.startsWith('proxy_') && !line.startsWith('proxy_temp_path'))
  return [
    ...others.flatMap(protocol => ['# app, apps, upstreams', ...inProtocol(protocol, [...times, ...ofHttp])]),
    ...(others.some(needsLength) ? unsizedBodies : []),
  ]
}

/** Whether a program reads as much of a body as CONTENT_LENGTH says: it sees none of one whose length is not known before its end. */
export function needsLength(protocol: Protocol): boolean {
  return protocol === 'fastcgi' || protocol === 'uwsgi'
}

/** Map to whether a request may have a body of unknown length. HTTP/1.1 announces one, HTTP/2 announces that there is none. */
const unsizedBodies = [
  'map "$content_length/$http_transfer_encoding/$server_protocol" $monohull_unsized {',
  "    default '';",
  '    ~^/[^/]+/ 1;',
  '    ~^//HTTP/[23] 1;',
  '}',
]

/** Lines that reject such a request, where nginx does not wait for the end of a body. */
export const rejectUnsized = ['if ($monohull_unsized) {', '    return 411;', '}']

const times = [
  'proxy_connect_timeout 5s;',
  'proxy_send_timeout 60s;',
  'proxy_read_timeout 60s;',
  'proxy_next_upstream_tries 3;',
  'proxy_next_upstream_timeout 60s;',
]

/** Whether nginx can keep connections to servers of this protocol. */
export function keepsConnections(protocol: Protocol): boolean {
  return modules[protocol].keepsConnections
}

/** Whether nginx can speak this protocol over TLS. */
export function hasTls(protocol: Protocol): boolean {
  return modules[protocol].schemes.tls !== undefined
}
