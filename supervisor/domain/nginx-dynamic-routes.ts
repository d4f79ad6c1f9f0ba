import { renderRouteClientCertificate } from './nginx-client-certificates.ts'
import { type DynamicRoutes, freshSeconds, staleSeconds, unknownSeconds } from './nginx-dynamic-hosts.ts'
import type { NginxModel } from './nginx-model.ts'
import { type ProxiedRoute, renderProxied } from './nginx-proxied.ts'
import { renderPages } from './nginx-route-front.ts'
import { block, quoteLua } from './nginx-text.ts'

/** How long a request waits for an answer. */
const longestWaitSeconds = 2
/** Questions of one nginx worker at the same time, so that they leave it connections. */
const mostQuestions = 100

/** The locations for hosts that nginx learns of: one that finds out, and one for each target there may be. */
export function renderDynamicRoutes(model: NginxModel, { askSocket }: DynamicRoutes): string[] {
  const places = placesOf(model)
  // what else holds clients off stands in the server
  const admission = renderRouteClientCertificate({}, model.front.clientCertificates)
  return [
    '# dynamic_routes',
    'location / {',
    '    set $monohull_address "";',
    '    lua_socket_log_errors off;',
    '    rewrite_by_lua_block {',
    '        local routes, asked = ngx.shared.monohull_routes, ngx.shared.monohull_asked',
    '        local state = package.loaded["monohull.routes"]',
    '        if not state then',
    '            state = { questions = 0 }',
    '            package.loaded["monohull.routes"] = state',
    '            state.places = {',
    ...places.map(({ target, place }) => `                ["${target}"] = "${place}",`),
    '            }',
    '            local function question(host)',
    '                local socket = ngx.socket.tcp()',
    `                socket:settimeouts(1000, 1000, ${longestWaitSeconds * 1000})`,
    `                if not socket:connect(${quoteLua(`unix:${askSocket}`)}) then return "" end`,
    '                local sent = socket:send("GET /" .. host .. " HTTP/1.0\\r\\n\\r\\n")',
    '                local answer = sent and socket:receive("*a")',
    '                socket:close()',
    '                return answer or ""',
    '            end',
    '            function state.ask(host)',
    `                if state.questions >= ${mostQuestions} then return end`,
    '                state.questions = state.questions + 1',
    '                local answer = question(host)',
    '                state.questions = state.questions - 1',
    '                local status, version, target = answer:match("^HTTP/1.1 (%d+).-\\r\\n\\r\\n(%d+) ?(%S*)$")',
    '                if status == "200" then',
    `                    routes:set(host, target, ${staleSeconds}, ngx.time() + ${freshSeconds})`,
    '                elseif status == "404" then',
    `                    asked:set("no " .. host, true, ${unknownSeconds})`,
    '                    routes:delete(host)',
    '                else',
    '                    return',
    '                end',
    '                -- what it was told meanwhile is newer',
    '                if tonumber(version) < (routes:get("/version") or 0) then',
    '                    routes:delete(host)',
    '                    asked:delete("no " .. host)',
    '                end',
    '            end',
    '            function state.refresh(_, host) state.ask(host) end',
    '            function state.is_known(host) return routes:get(host) or asked:get("no " .. host) end',
    '        end',
    '        local host = ngx.var.host',
    '        local target, fresh_until = routes:get(host)',
    '        if target then',
    '            if ngx.time() > fresh_until and asked:add("? " .. host, true, 5) then',
    '                ngx.timer.at(0, state.refresh, host)',
    '            end',
    '        else',
    '            if #host > 253 or not host:find("^[a-z0-9_][a-z0-9_.-]*$") then return ngx.exit(403) end',
    '            local started = ngx.now()',
    `            while not state.is_known(host) and ngx.now() - started <= ${longestWaitSeconds} do`,
    `                if asked:add("? " .. host, true, ${longestWaitSeconds + 1}) then`,
    '                    -- whoever asked before may have been answered a moment ago',
    '                    if not state.is_known(host) then state.ask(host) end',
    '                    asked:delete("? " .. host)',
    '                end',
    '                if not state.is_known(host) then ngx.sleep(0.02) end',
    '            end',
    '            target = routes:get(host)',
    '            if not target and asked:get("no " .. host) then return ngx.exit(403) end',
    '        end',
    '        local place = state.places[target]',
    '        if not place then',
    '            local address = target and (target:match("^address:([%d.]+:%d+)$") or target:match("^address:(%[[%x:]+%]:%d+)$"))',
    '            if not address then return ngx.exit(503) end',
    '            ngx.var.monohull_address = address',
    '            place = "@monohull_address"',
    '        end',
    '        return ngx.exec(place)',
    '    }',
    '}',
    ...places.flatMap(({ place, route }) =>
      block(place, [...admission, ...renderPages(route, model), ...renderProxied(route, model, '').below]),
    ),
    ...block('@monohull_address', [
      ...admission,
      'include snippets/proxy.conf;',
      // it may be anybody's, and is sent no file of an app
      'proxy_ignore_headers X-Accel-Redirect;',
      'proxy_pass http://monohull_address;',
    ]),
  ]
}

/** Stand-ins for the routes that lead to what a host may lead to. */
export function dynamicTargets(model: NginxModel): ProxiedRoute[] {
  return placesOf(model).map(({ route }) => route)
}

/** Everything of the configuration that a host may lead to. */
function placesOf({ apps, upstreams }: NginxModel): { target: string; place: string; route: ProxiedRoute }[] {
  return [
    ...apps.map(({ name }) => ({ kind: 'app' as const, name })),
    ...upstreams.map(({ name }) => ({ kind: 'upstream' as const, name })),
  ].map(({ kind, name }) => ({
    target: `${kind}:${name}`,
    place: `@monohull_${kind}_${name}`,
    route: toPeer(kind, name),
  }))
}

function toPeer(kind: 'app' | 'upstream', name: string): ProxiedRoute {
  return {
    origin: undefined,
    host: undefined,
    match: 'prefix',
    path: '/',
    target: { kind, name, stripsPrefix: false, rewrite: undefined, readTimeoutMs: undefined, isBuffered: true },
    rules: {},
    snippet: undefined,
  }
}
