import { quote } from '../nginx/text.ts'

/** An htpasswd file, and what the browser shows. */
interface BasicAuth {
  file: string
  realm: string
}

/** Who gets an answer. */
export interface Access {
  basicAuth: BasicAuth | undefined
  /** Addresses and networks; undefined: all that are not denied. */
  allow: readonly string[] | undefined
  deny: readonly string[]
}

/** Who gets an answer of one route; what is undefined is as in the whole front. */
export interface RouteAccess {
  basicAuth?: BasicAuth | 'off' | undefined
  allow?: readonly string[] | 'off' | undefined
  deny?: readonly string[] | undefined
}

/** What a request for a host that is not known gets; undefined: an answer. */
export interface UnknownHost {
  status: 421 | 444
  known: readonly string[]
}

/** For the server block. */
export function renderAccess({ basicAuth, allow, deny }: Access): string[] {
  return [...(basicAuth ? renderBasicAuth(basicAuth) : []), ...renderNetworks({ allow, deny })]
}

/** For the locations of a route. nginx takes allow and deny from the server together, or not at all. */
export function renderRouteAccess({ basicAuth, allow, deny }: RouteAccess, front: Access): string[] {
  const networks = renderNetworks({
    allow: allow === 'off' ? undefined : (allow ?? front.allow),
    deny: deny ?? front.deny,
  })
  return [
    ...(basicAuth === 'off' ? ['# basic_auth', 'auth_basic off;'] : basicAuth ? renderBasicAuth(basicAuth) : []),
    ...(allow || deny ? (networks.length > 0 ? networks : ['# allow, deny', 'allow all;']) : []),
  ]
}

/** Whether somebody might get no answer of a route. */
export function isGuarded({ basicAuth, allow, deny }: RouteAccess, front: Access): boolean {
  const isOn = (own: unknown, ofFront: unknown) => (own ?? ofFront ?? 'off') !== 'off'
  return isOn(basicAuth, front.basicAuth) || isOn(allow, front.allow) || (deny ?? front.deny).length > 0
}

function renderBasicAuth({ realm, file }: BasicAuth): string[] {
  return ['# basic_auth', `auth_basic ${quote(realm)};`, `auth_basic_user_file ${quote(file)};`]
}

function renderNetworks({ allow, deny }: Pick<Access, 'allow' | 'deny'>): string[] {
  return [
    ...(allow || deny.length > 0 ? ['# allow, deny'] : []),
    ...deny.map(network => `deny ${network};`),
    ...(allow ? [...allow.map(network => `allow ${network};`), 'deny all;'] : []),
  ]
}

/** For the http block: which hosts are known. Requests to the `open` paths are for any host, and so are those of a CA that nginx answers. */
export function renderKnownHosts(
  { known }: UnknownHost,
  { open, acmeChallenges }: { open: readonly string[]; acmeChallenges: string | undefined },
): string[] {
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
    ...(acmeChallenges === undefined ? [] : [`    ~^/\\.well-known/acme-challenge/ '';`]),
    ...open.map(path => `    ${path} '';`),
    '}',
  ]
}

/** For each server block. */
export function renderUnknownHost(rule: UnknownHost | undefined): string[] {
  return rule ? ['# unknown_host', 'if ($monohull_is_unknown_host) {', `    return ${rule.status};`, '}'] : []
}
