import { quote } from './nginx-text.ts'

/** Who gets an answer. */
export interface Access {
  /** An htpasswd file, and what the browser shows. */
  basicAuth: { file: string; realm: string } | undefined
  /** Addresses and networks; undefined: all that are not denied. */
  allow: readonly string[] | undefined
  deny: readonly string[]
}

/** What a request for a host that is not known gets; undefined: an answer. */
export interface UnknownHost {
  status: 421 | 444
  known: readonly string[]
}

/** For the server block, or a place in it. */
export function renderAccess({ basicAuth, allow, deny }: Access): string[] {
  return [
    ...(basicAuth
      ? ['# basic_auth', `auth_basic ${quote(basicAuth.realm)};`, `auth_basic_user_file ${quote(basicAuth.file)};`]
      : []),
    ...(allow || deny.length > 0 ? ['# allow, deny'] : []),
    ...deny.map(network => `deny ${network};`),
    ...(allow ? [...allow.map(network => `allow ${network};`), 'deny all;'] : []),
  ]
}

/** For the http block: which hosts are known. Requests to the `open` paths are for any host. */
export function renderKnownHosts({ known }: UnknownHost, open: readonly string[]): string[] {
  return [
    '',
    '# unknown_host, server_names',
    'map $host $monohull_is_other_host {',
    '    hostnames;',
    '    default 1;',
    ...known.map(name => `    ${name} '';`),
    '}',
    'map $uri $monohull_is_unknown_host {',
    '    default $monohull_is_other_host;',
    `    ~^/\\.well-known/acme-challenge/ '';`,
    ...open.map(path => `    ${path} '';`),
    '}',
  ]
}

/** For each server block. */
export function renderUnknownHost(rule: UnknownHost | undefined): string[] {
  return rule ? ['# unknown_host', 'if ($monohull_is_unknown_host) {', `    return ${rule.status};`, '}'] : []
}
