import { quote } from '../nginx/text.ts'
import type { NginxModel } from './model.ts'

/** Keys of the configuration for which nginx runs Lua. */
export function luaKeys({ busyCounter, onDemand, dynamicRoutes }: NginxModel): string[] {
  return [
    ...(busyCounter ? ['app.workers'] : []),
    ...(onDemand ? ['tls.on_demand'] : []),
    ...(dynamicRoutes ? ['dynamic_routes'] : []),
  ]
}

/** For the http block: where nginx's workers find the modules of nginx/lua. `;;` is where they are found without this. */
export function renderLuaPath(model: NginxModel): string[] {
  const keys = luaKeys(model)
  if (keys.length === 0) return []
  return ['', `# ${keys.join(', ')}`, `lua_package_path ${quote(`${model.workDir}/current/lua/?.lua;;`)};`]
}
