import { OperatorError } from '../base/errors.ts'
import type { NginxFeatures } from '../nginx/features.ts'
import type { ForwardAuth } from './forward-auth.ts'
import type { ForwardAuthConfig } from './forward-auth-keys.ts'
import { presets } from './forward-auth-presets.ts'

/** Check of requests from its keys. Throws an OperatorError if the installed nginx lacks what it requires. */
export function chooseForwardAuth(
  config: ForwardAuthConfig,
  { luaModules }: Pick<NginxFeatures, 'luaModules'>,
): ForwardAuth {
  if (luaModules) return toForwardAuth(config)
  throw new OperatorError(
    "cannot use forward_auth: the installed nginx has no Lua module, which passes on the auth server's cookies",
    {
      fix: 'apt-get install libnginx-mod-http-lua, or remove forward_auth',
    },
  )
}

/** Check of requests from its keys. */
export function toForwardAuth({ preset, upstream, path, copy_headers, sign_in }: ForwardAuthConfig): ForwardAuth {
  const usual = preset && presets[preset]
  return {
    upstream,
    path: path ?? usual?.path ?? '/',
    copiedHeaders: copy_headers ?? usual?.copiedHeaders ?? [],
    signIn: sign_in === 'off' ? undefined : sign_in === undefined ? usual?.signIn : { url: sign_in },
  }
}
