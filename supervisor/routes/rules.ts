import { resolve } from 'node:path'
import { chooseForwardAuth } from '../front/choose-forward-auth.ts'
import { chooseCompression, defaultRealm, readRate, toCache } from '../front/choose-rules.ts'
import { isHsts } from '../front/hsts-name.ts'
import type { ResponseHeadersConfig } from '../front/response-header-keys.ts'
import { headersOf } from '../front/response-headers.ts'
import type { RouteRules } from '../front/route-rules.ts'
import type { NginxFeatures } from '../nginx/features.ts'
import type { RouteSettings } from './setting-keys.ts'

/** Rules of a route that differ from those of the whole front. Throws an OperatorError if the installed nginx lacks a feature. */
export function routeRules(
  settings: RouteSettings,
  { directory, headers }: { directory: string; headers: ResponseHeadersConfig },
  features: NginxFeatures,
): RouteRules {
  const { max_body_size, rate_limit, connection_limit, basic_auth, allow, deny, compression, cache } = settings
  return {
    bodySize: max_body_size === 'off' ? '0' : max_body_size,
    rate: rate_limit === undefined || rate_limit === 'off' ? rate_limit : readRate(rate_limit),
    connections: connection_limit,
    basicAuth:
      basic_auth === undefined || basic_auth === 'off'
        ? basic_auth
        : {
            file: resolve(directory, basic_auth.file),
            realm: basic_auth.realm ?? defaultRealm,
            forwards: basic_auth.forward,
          },
    allow,
    deny: deny === 'off' ? [] : deny,
    forwardAuth: settings.forward_auth && chooseForwardAuth(settings.forward_auth, features),
    satisfiesAny: settings.satisfy === 'any',
    clientCertificate: settings.client_certificate,
    headers: settings.headers && headersOf({ ...headers, ...settings.headers }),
    hasOwnHsts: Object.keys(settings.headers ?? {}).some(isHsts),
    compression: compression && (chooseCompression(compression, features) ?? 'off'),
    // a response may be for one user
    cache: settings.forward_auth ? 'off' : cache === undefined || cache === 'off' ? cache : toCache(cache, features),
  }
}
