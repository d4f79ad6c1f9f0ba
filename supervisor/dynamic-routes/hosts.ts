import { inBatches } from '../base/batches.ts'
import { callLua, quote } from '../nginx/text.ts'

/** Dynamic host routes in nginx's model. */
export interface DynamicHosts {
  /** Unix socket that nginx queries for the target of a host: `GET /HOST`. */
  lookupSocket: string
  /** Unix socket on which nginx receives changes. It is bound by the supervisor and inherited by nginx. */
  changesSocket: string
  /** Hosts of the configuration without routes of their own. Dynamic routes do not apply to them. */
  namedHosts: readonly string[]
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
    'lua_shared_dict monohull_routes 16m;',
    'lua_shared_dict monohull_asked 1m;',
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
    '    keepalive 32;',
    '    # the idle timeout of the servers is unknown; that of Node is 5 s',
    '    keepalive_timeout 4s;',
    '}',
  ]
}

/** Messages for `changesSocket` (nginx/lua/monohull/route_changes.lua): a version, then a line per host with its target, or without one. */
export function formatChanges(version: number, changes: ReadonlyMap<string, string | undefined>): string[] {
  return inBatches([...changes], mostChanges).map(batch =>
    [`${version}`, ...batch.map(([host, target = '']) => `${host} ${target}`.trimEnd()), ''].join('\n'),
  )
}
