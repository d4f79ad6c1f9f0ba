import { quote } from '../nginx/text.ts'
import type { NginxModel } from './model.ts'

/** Configuration keys for which nginx runs Lua. */
export function luaKeys({ busyCounter, onDemand, dynamicRoutes }: NginxModel): string[] {
  return [
    ...(busyCounter ? ['app.workers'] : []),
    ...(onDemand ? ['tls.on_demand'] : []),
    ...(dynamicRoutes ? ['dynamic_routes'] : []),
  ]
}

/** Directive for the http block with the search path of the modules in nginx/lua. `;;` is the default path. */
export function renderLuaPath(model: NginxModel): string[] {
  const keys = luaKeys(model)
  if (keys.length === 0) return []
  return ['', `# ${keys.join(', ')}`, `lua_package_path ${quote(`${model.workDir}/current/lua/?.lua;;`)};`]
}
