import { quote } from '../nginx/text.ts'
import type { NginxModel } from './model.ts'

/** Configuration keys for which nginx runs Lua. */
export function luaKeys({ busyCounter, onDemand, dynamicRoutes, front, routes }: NginxModel): string[] {
  const caches = [front.cache, ...routes.map(({ rules }) => rules.cache)]
  return [
    ...(busyCounter ? ['app.workers'] : []),
    ...(onDemand ? ['tls.on_demand'] : []),
    ...(dynamicRoutes ? ['dynamic_routes'] : []),
    ...(caches.some(cache => cache && cache !== 'off' && cache.hasLua) ? ['cache'] : []),
  ]
}

/** Directive for the http block with the search path of the modules in nginx/lua. `;;` is the default path. */
export function renderLuaPath(model: NginxModel): string[] {
  const keys = luaKeys(model)
  if (keys.length === 0) return []
  return ['', `# ${keys.join(', ')}`, `lua_package_path ${quote(`${model.workDir}/current/lua/?.lua;;`)};`]
}
