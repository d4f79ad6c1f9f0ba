import { block, callLua } from '../nginx/text.ts'

/** Check of each request by another server: docs/decisions/093-forward-auth.md. */
export interface ForwardAuth {
  /** Upstream of the auth server. */
  upstream: string
  /** Path that the auth server is asked at. */
  path: string
  /** Headers of its response that the app gets. */
  copiedHeaders: readonly string[]
  /** URL that browsers without a session are sent to; `location`: that of the auth server's response; undefined: they get 401. */
  signIn: { url: string } | 'location' | undefined
}

/** Where the auth server is: nginx's URL of its servers, and the lines that they need. Undefined: it has no servers. */
export interface AuthPeer {
  url: string
  host: string | undefined
  options: readonly string[]
}

/** Cookies of the auth server's response that are passed on at most: a session in cookies is split after 4 KB. */
const mostCookies = 8
const signInVariable = '$monohull_sign_in'

/** Lines for the locations of the route with this number. */
export function renderForwardAuth({ copiedHeaders, signIn }: ForwardAuth, route: number): string[] {
  return [
    '# forward_auth',
    `auth_request ${locationOf(route)};`,
    // as Lua has joined them, where the response has several lines of a name
    ...copiedHeaders.map(name => `auth_request_set ${variableOf(name)} $sent_http_${lower(name)};`),
    ...(signIn === 'location' ? [`auth_request_set ${signInVariable} $upstream_http_location;`] : []),
  ]
}

/** Directive with which the page for an error may be chosen after another one. */
export const recursiveErrors = 'recursive_error_pages on;'

/** Error rules for these locations: a browser without a session is sent to sign in, and others get the usual page for 401. */
export function signInRules({ signIn }: ForwardAuth, route: number): string[] {
  return signIn ? [`error_page 401 = ${signInLocation(route)};`, recursiveErrors] : []
}

/** Lines for the headers of responses of a route: the auth server may renew its session. */
export function renderAuthCookies(): string[] {
  return ['# routes', ...cookieVariables().map(variable => `add_header Set-Cookie ${variable} always;`)]
}

/**
 * Headers for the app: those of the auth server. Headers of the client with the names that any route copies never reach an app. `Authorization`
 * is the client's own on all other routes.
 */
export function renderCopiedHeaders(own: ForwardAuth | undefined, ofAll: readonly string[]): string[] {
  const copied = own?.copiedHeaders ?? []
  const names = new Set(copied.map(lower))
  const others = ofAll.filter(name => !names.has(lower(name)) && lower(name) !== 'authorization')
  return [
    ...copied.map(name => `proxy_set_header ${name} ${variableOf(name)};`),
    ...others.map(name => `proxy_set_header ${name} "";`),
  ]
}

/** Names of headers that the routes with these rules copy, each once. */
export function copiedHeadersOf(rules: readonly { forwardAuth?: ForwardAuth | undefined }[]): string[] {
  const all = rules.flatMap(({ forwardAuth }) => forwardAuth?.copiedHeaders ?? [])
  return [...new Map(all.map(name => [lower(name), name])).values()].sort()
}

/** Whether the app gets an Authorization of the auth server in place of the client's. */
export function copiesAuthorization({ copiedHeaders }: ForwardAuth): boolean {
  return copiedHeaders.some(name => lower(name) === 'authorization')
}

/** Parts of the locations of a route. */
export interface ForwardAuthParts {
  route: number
  peer: AuthPeer | undefined
  /** Lines with the client's Authorization. */
  credentials: readonly string[]
  /** Names of headers that any route copies. */
  copiedHeaders: readonly string[]
  /** Lines with the response headers of the route. */
  headers: readonly string[]
}

/** Locations for the server of a route: the one that asks the auth server, and the one that sends browsers to sign in. */
export function renderForwardAuthLocations(
  auth: ForwardAuth,
  { route, peer, credentials, copiedHeaders, headers }: ForwardAuthParts,
): string[] {
  const ask = peer
    ? [
        ...credentials,
        // what only an auth server may say about a user, this one must not hear from a client
        ...renderCopiedHeaders(undefined, copiedHeaders),
        ...peer.options,
        `proxy_set_header Host ${peer.host ?? '$host$monohull_host_suffix'};`,
        callLua('header_filter', 'forward_auth.keep_headers', ...auth.copiedHeaders),
        `proxy_pass ${peer.url}${auth.path};`,
      ]
    : ['return 503;']
  const { signIn } = auth
  return [
    ...block(`= ${locationOf(route)}`, ['include snippets/forward-auth.conf;', ...ask]),
    ...(signIn
      ? block(signInLocation(route), [
          'include snippets/open.conf;',
          recursiveErrors,
          ...headers,
          callLua('content', 'forward_auth.sign_in', ...(signIn === 'location' ? [] : [signIn.url])),
        ])
      : []),
  ]
}

function locationOf(route: number): string {
  return `/.monohull/forward-auth-${route}`
}

function signInLocation(route: number): string {
  return `@monohull_sign_in_${route}`
}

function variableOf(name: string): string {
  return `$monohull_auth_${lower(name)}`
}

function cookieVariables(): string[] {
  return Array.from({ length: mostCookies }, (_, index) => `$monohull_auth_cookie_${index + 1}`)
}

function lower(name: string): string {
  return name.toLowerCase().replaceAll('-', '_')
}
