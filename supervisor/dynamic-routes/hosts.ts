import { inBatches } from '../base/batches.ts'
import { callLua, quote } from '../nginx/text.ts'

/** Dynamic host routes in nginx's model. */
export interface DynamicHosts {
  /** Unix socket that nginx queries for the target of a host: `GET /HOST`. */
  lookupSocket: string
  /** Unix socket on which nginx receives changes. It is bound by the supervisor and inherited by nginx. */
  changesSocket: string
  /** Response to hosts without a route. */
  unknown: UnknownRoute
  /** Seconds for which nginx serves hosts that it knows while the store cannot be read. */
  staleForSeconds: number
  /** Hosts in server_names. Dynamic routes do not apply to them. */
  namedHosts: readonly string[]
}

/** Status, or `page`: 404 with a built-in page. */
export type UnknownRoute = '403' | '404' | '421' | '444' | 'page'

/** Changes by host or wildcard, encoded; undefined: removed. `all`: any may have changed. */
export type EncodedChanges = ReadonlyMap<string, string | undefined> | 'all'

/** Changes for nginx. */
export interface RouteMessage {
  /** Greater than that of earlier changes. */
  version: number
  /** Name of the stream that the changes belong to. nginx missed none since the stream began. */
  stream: string
  changes: EncodedChanges
}

/** Changes in one message at most. */
const mostChanges = 200

/** Server names for hosts that no dynamic route can have: none at all, single words, addresses. */
const otherNames = ['""', '"~^(?:[^.]*|[0-9.]+|[[].*)$"']

/** Names of the server for hosts without dynamic routes. */
export function plainHosts({ namedHosts }: DynamicHosts): string[] {
  // the first name becomes $host for clients that send none
  return [...new Set(['localhost', ...namedHosts, ...otherNames])]
}

/** Directives for the http block: the cache of lookups, which survives reloads, the server that receives changes, and the upstream for addresses. */
export function renderDynamicHosts({ changesSocket }: DynamicHosts): string[] {
  return [
    '',
    '# dynamic_routes',
    // half a million hosts; those that were not visited for the longest time are looked up again
    'lua_shared_dict monohull_routes 64m;',
    'lua_shared_dict monohull_other_hosts 8m;',
    'lua_shared_dict monohull_asked 1m;',
    'lua_shared_dict monohull_route_state 32k;',
    'server {',
    `    listen ${quote(`unix:${changesSocket}`)} backlog=64;`,
    '    access_log off;',
    '    client_max_body_size 1m;',
    '    client_body_buffer_size 1m;',
    '    location / {',
    `        ${callLua('content', 'route_changes.receive')}`,
    '    }',
    '}',
    'upstream monohull_address {',
    '    server 0.0.0.1;',
    `    ${callLua('balancer', 'route_address.connect')}`,
    '    keepalive 128;',
    '    # the idle timeout of the servers is unknown; that of Node is 5 s',
    '    keepalive_timeout 4s;',
    '}',
  ]
}

/**
 * Messages for `changesSocket` (nginx/lua/monohull/route_changes.lua): a version and the stream of changes, then a line per host or wildcard with
 * its route, or without one. Without changes, a message is a sign of life.
 */
export function formatChanges({ version, stream, changes }: RouteMessage): string[] {
  const head = `${version} ${stream}`
  if (changes === 'all') return [`${head}\n*\n`]
  if (changes.size === 0) return [`${head}\n`]
  return inBatches([...changes], mostChanges).map(batch =>
    [head, ...batch.map(([name, route = '']) => `${name} ${route}`.trimEnd()), ''].join('\n'),
  )
}
