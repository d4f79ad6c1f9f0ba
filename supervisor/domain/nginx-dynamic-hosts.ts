import { inBatches } from './batches.ts'
import { quote } from './nginx-text.ts'

/** Hosts that nginx learns of while it runs. */
export interface DynamicRoutes {
  /** Unix socket at which nginx asks where a host leads: `GET /HOST`. */
  askSocket: string
  /** Unix socket at which nginx is told what changed; it is bound for it. */
  tellSocket: string
  /** Hosts of the configuration without routes of their own: these are for none of the others. */
  namedHosts: readonly string[]
}

/** How long an answer counts; the next request then has it asked for again, and does not wait. */
export const freshSeconds = 30
/** How long an answer serves when nobody can be asked. */
export const staleSeconds = 600
/** How long a no counts. */
export const unknownSeconds = 10
/** Changes in one message. */
const mostChanges = 200

/** Names that nginx takes for hosts and no dynamic route is for: none at all, single words, addresses. */
const otherNames = ['""', '"~^(?:[^.]*|[0-9.]+|[[].*)$"']

/** Names of the server for what dynamic routes are not for. */
export function plainHosts({ namedHosts }: DynamicRoutes): string[] {
  // the first is $host where the client names none
  return [...new Set(['localhost', ...namedHosts, ...otherNames])]
}

/** For the http block: where answers are kept, which reloads outlast, where changes arrive, and the way to addresses. */
export function renderDynamicHosts({ tellSocket }: DynamicRoutes): string[] {
  return [
    '',
    '# dynamic_routes',
    'lua_shared_dict monohull_routes 16m;',
    'lua_shared_dict monohull_asked 1m;',
    'server {',
    `    listen ${quote(`unix:${tellSocket}`)} backlog=64;`,
    '    access_log off;',
    '    client_max_body_size 1m;',
    '    client_body_buffer_size 1m;',
    '    location / {',
    '        content_by_lua_block {',
    '            local routes, asked = ngx.shared.monohull_routes, ngx.shared.monohull_asked',
    '            ngx.req.read_body()',
    '            local version, changes = (ngx.req.get_body_data() or ""):match("^(%d+)\\n(.*)$")',
    '            if not version then return ngx.exit(400) end',
    '            -- first: whoever has an older answer keeps it, and looks at this after that; no host holds a slash',
    '            routes:set("/version", tonumber(version))',
    '            for host, target in changes:gmatch("(%S+) ?(%S*)\\n") do',
    '                if target == "" then',
    `                    asked:set("no " .. host, true, ${unknownSeconds})`,
    '                    routes:delete(host)',
    '                else',
    `                    routes:set(host, target, ${staleSeconds}, ngx.time() + ${freshSeconds})`,
    '                    asked:delete("no " .. host)',
    '                end',
    '            end',
    '            ngx.print("")',
    '        }',
    '    }',
    '}',
    'upstream monohull_address {',
    '    server 0.0.0.1;',
    '    balancer_by_lua_block {',
    '        local address, port = ngx.var.monohull_address:match("^(.*):(%d+)$")',
    '        local balancer = require "ngx.balancer"',
    '        local ok, problem = balancer.set_current_peer(address, tonumber(port))',
    '        if not ok then ngx.log(ngx.ERR, problem) return ngx.exit(502) end',
    '    }',
    '    keepalive 32;',
    '    # nobody knows when they close idle connections; Node does after 5 s',
    '    keepalive_timeout 4s;',
    '}',
  ]
}

/** What `renderDynamicHosts` reads: a version, and a line for each host with its target or without. */
export function formatChanges(version: number, changes: ReadonlyMap<string, string | undefined>): string[] {
  return inBatches([...changes], mostChanges).map(batch =>
    [`${version}`, ...batch.map(([host, target = '']) => `${host} ${target}`.trimEnd()), ''].join('\n'),
  )
}
