import { inBatches } from '../base/batches.ts'
import { callLua, quote } from '../nginx/text.ts'

/** Hosts that nginx learns of while it runs. */
export interface DynamicHosts {
  /** Unix socket at which nginx asks where a host leads: `GET /HOST`. */
  lookupSocket: string
  /** Unix socket at which nginx is told what changed; it is bound for it. */
  changesSocket: string
  /** Hosts of the configuration without routes of their own: these are for none of the others. */
  namedHosts: readonly string[]
}

/** Changes in one message. */
const mostChanges = 200

/** Names that nginx takes for hosts and no dynamic route is for: none at all, single words, addresses. */
const otherNames = ['""', '"~^(?:[^.]*|[0-9.]+|[[].*)$"']

/** Names of the server for what dynamic routes are not for. */
export function plainHosts({ namedHosts }: DynamicHosts): string[] {
  // the first is $host where the client names none
  return [...new Set(['localhost', ...namedHosts, ...otherNames])]
}

/** For the http block: where answers are kept, which reloads outlast, where changes arrive, and the way to addresses. */
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
    '    # nobody knows when they close idle connections; Node does after 5 s',
    '    keepalive_timeout 4s;',
    '}',
  ]
}

/** What nginx reads at `changesSocket` (nginx/lua/monohull/route_changes.lua): a version, and a line for each host with its target or without. */
export function formatChanges(version: number, changes: ReadonlyMap<string, string | undefined>): string[] {
  return inBatches([...changes], mostChanges).map(batch =>
    [`${version}`, ...batch.map(([host, target = '']) => `${host} ${target}`.trimEnd()), ''].join('\n'),
  )
}
