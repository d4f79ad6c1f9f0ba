import { quote } from '../nginx/text.ts'
import { copiesAuthorization, type ForwardAuth } from './forward-auth.ts'

/** htpasswd file, and the text that the browser shows. */
interface BasicAuth {
  file: string
  realm: string
  /** Whether apps and upstreams get the password. */
  forwards: boolean
}

/** Access control of the whole front. */
export interface Access {
  basicAuth: BasicAuth | undefined
  /** Addresses and networks with access; undefined: all that are not denied. */
  allow: readonly string[] | undefined
  deny: readonly string[]
}

/** Access control of one route. An undefined rule is that of the whole front. */
export interface RouteAccess {
  basicAuth?: BasicAuth | 'off' | undefined
  allow?: readonly string[] | 'off' | undefined
  deny?: readonly string[] | undefined
  forwardAuth?: ForwardAuth | undefined
  /** Whether one of password, address and forward auth is enough. */
  satisfiesAny?: boolean | undefined
}

/** Response to requests for unknown hosts, and the known ones. */
export interface UnknownHost {
  status: 421 | 444
  known: readonly string[]
}

/** Lines for the server block. */
export function renderAccess({ basicAuth, allow, deny }: Access): string[] {
  return [...(basicAuth ? renderBasicAuth(basicAuth) : []), ...renderNetworks({ allow, deny })]
}

/** Lines for the locations of a route. nginx inherits allow and deny from the server together or not at all. */
export function renderRouteAccess({ basicAuth, allow, deny, satisfiesAny }: RouteAccess, front: Access): string[] {
  const networks = renderNetworks({
    allow: allow === 'off' ? undefined : (allow ?? front.allow),
    deny: deny ?? front.deny,
  })
  return [
    ...(basicAuth === 'off' ? ['# basic_auth', 'auth_basic off;'] : basicAuth ? renderBasicAuth(basicAuth) : []),
    ...(allow || deny ? (networks.length > 0 ? networks : ['# allow, deny', 'allow all;']) : []),
    ...(satisfiesAny ? ['# satisfy', 'satisfy any;'] : []),
  ]
}

/**
 * Lines for a location that proxies requests: a password that nginx has checked stays here, because the app could log it, take it for one of
 * its own, or reject it. Other forms of Authorization are for the app.
 */
export function renderCredentials({ basicAuth, forwardAuth }: RouteAccess, front: Access): string[] {
  if (forwardAuth && copiesAuthorization(forwardAuth)) return []
  const own = basicAuth ?? front.basicAuth
  if (own === undefined || own === 'off' || own.forwards) return []
  return ['proxy_set_header Authorization $monohull_authorization;']
}

/** Whether access control of a route can reject a client. */
export function isGuarded({ basicAuth, allow, deny, forwardAuth }: RouteAccess, front: Access): boolean {
  if (forwardAuth) return true
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

/** Maps of known hosts, for the http block. Requests to the `open` paths, and ACME challenges that nginx serves, are accepted for any host. */
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

/** Lines for each server block. */
export function renderUnknownHost(rule: UnknownHost | undefined): string[] {
  return rule ? ['# unknown_host', 'if ($monohull_is_unknown_host) {', `    return ${rule.status};`, '}'] : []
}
