import { inBatches } from '../base/batches.ts'
import { block, callLua } from '../nginx/text.ts'
import { renderPages } from '../routes/front.ts'
import { type ProxiedRoute, renderProxied } from '../routes/proxied.ts'
import type { RoutesModel } from '../routes/route.ts'
import type { DynamicHosts } from './hosts.ts'

/** Targets in one text, with names of any length: nginx reads Lua texts of 4096 bytes. */
const mostPlaces = 10

/**
 * The locations for hosts that nginx learns of: one that finds out, and one for each target there may be. `admission`: what
 * holds clients off there, beside what stands in the server.
 */
export function renderDynamicRoutes(
  model: RoutesModel,
  { lookupSocket }: DynamicHosts,
  admission: readonly string[],
): string[] {
  const places = placesOf(model)
  const locations = inBatches(places, mostPlaces).map(batch =>
    batch.map(({ target, place }) => `${target} ${place}`).join(' '),
  )
  return [
    '# dynamic_routes',
    'location / {',
    '    set $monohull_address "";',
    '    lua_socket_log_errors off;',
    `    ${callLua('rewrite', 'routes.route', `unix:${lookupSocket}`, ...locations)}`,
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
export function dynamicTargets(model: RoutesModel): ProxiedRoute[] {
  return placesOf(model).map(({ route }) => route)
}

/** Everything of the configuration that a host may lead to. */
function placesOf({ apps, upstreams }: RoutesModel): { target: string; place: string; route: ProxiedRoute }[] {
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
