import { callLua, quote } from '../nginx/text.ts'
import type { NginxModel } from './model.ts'

/** Configuration keys for which nginx runs Lua. */
export function luaKeys({
  features,
  retrySocket,
  busyCounter,
  requestCounter,
  onDemand,
  acmeHandshakes,
  dynamicRoutes,
  spool,
  front,
  routes,
}: NginxModel): string[] {
  const caches = [front.cache, ...routes.map(({ rules }) => rules.cache)]
  const compressions = [front.compression, ...routes.map(({ rules }) => rules.compression)]
  return [
    ...(features.luaModules ? ['nginx.worker_connections', 'health'] : []),
    ...(retrySocket ? ['app'] : []),
    ...(busyCounter ? ['app.workers'] : []),
    ...(requestCounter ? ['metrics'] : []),
    ...(onDemand ? ['tls.on_demand'] : []),
    ...(acmeHandshakes === undefined ? [] : ['tls.acme.challenge']),
    ...(dynamicRoutes ? ['dynamic_routes'] : []),
    ...(routes.some(({ rules }) => rules.forwardAuth) ? ['routes'] : []),
    ...(caches.some(cache => cache && cache !== 'off' && cache.hasLua) ? ['cache'] : []),
    ...(compressions.some(own => own && own !== 'off' && own.skipsWithCookies) ? ['compression'] : []),
    ...(spool.totalBodyBytes === undefined ? [] : ['temp_dir']),
  ]
}

/** Directives for the http block: the search path of the modules in nginx/lua, where `;;` is the default path, and what starts in each nginx worker. */
export function renderLuaPath(model: NginxModel): string[] {
  const keys = luaKeys(model)
  if (keys.length === 0) return []
  return [
    '',
    `# ${keys.join(', ')}`,
    `lua_package_path ${quote(`${model.workDir}/current/lua/?.lua;;`)};`,
    ...(model.features.luaModules ? [callLua('init_worker', 'guard.start', ...guardArguments(model))] : []),
  ]
}

/** Arguments of the guard of connections: how many there are, on which ports, and whether they may come from proxies. */
function guardArguments({ connections, http, https, front: { trust } }: NginxModel): string[] {
  const ports = new Set([...http, ...https].map(({ port }) => port))
  return [`${connections.perWorker}`, [...ports].join(' '), trust.proxies.length > 0 ? 'proxies' : 'clients']
}
