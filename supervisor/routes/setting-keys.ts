import * as z from 'zod'
import { docs, networks } from '../config/values.ts'
import { cacheValue } from '../front/cache/keys.ts'
import { routeClientCertificate } from '../front/client-certificate-keys.ts'
import { compressionValue } from '../front/compression-keys.ts'
import { forwardAuth } from '../front/forward-auth-keys.ts'
import {
  authRealm,
  bodySize,
  connectionCount,
  forwardsPassword,
  passwordFile,
  requestRate,
} from '../front/limit-keys.ts'
import { headerValues } from '../front/response-header-keys.ts'

const off = z.literal('off')
const rate = 'expected a rate such as 10/s, 60/m or 10/s burst=50, or off'
const connections = 'expected a whole number from 1 to 65535, or off'
const auth = 'expected {file: PATH, realm: TEXT, forward: true or false} or off'
const addresses = 'expected a list of addresses or networks such as 10.0.0.0/8, or off'
const caching = 'expected the keys of cache, or off'

/** Keys that a route can set in place of those of the whole front. */
export const routeSettingKeys = {
  max_body_size: bodySize.optional().register(docs, {
    description: 'Largest request body for this route; off: no limit',
  }),
  rate_limit: z.union([off, requestRate], { error: rate }).optional().register(docs, {
    description: 'Request rate that one address may send to this route, counted separately; off: no limit',
  }),
  connection_limit: z.union([off, connectionCount], { error: connections }).optional().register(docs, {
    description: 'Requests that one address may have open to this route at the same time; off: no limit',
  }),
  basic_auth: z
    .union(
      [
        off,
        z.strictObject({
          file: passwordFile.register(docs, { description: 'Names and hashed passwords for this route' }),
          realm: authRealm
            .optional()
            .register(docs, { description: 'Realm that the browser shows in its login dialog; default: Restricted' }),
          forward: forwardsPassword.default(false).register(docs, {
            description: 'Whether the target gets the name and password too',
          }),
        }),
      ],
      { error: auth },
    )
    .optional()
    .register(docs, { description: 'Password protection of this route; off: no password is required' }),
  allow: z.union([off, networks], { error: addresses }).optional().register(docs, {
    description: 'Addresses and networks (CIDR) that may use this route; off: all that are not denied',
  }),
  deny: z.union([off, networks], { error: addresses }).optional().register(docs, {
    description: 'Addresses and networks (CIDR) that get 403 from this route, checked before allow; off: none',
  }),
  forward_auth: forwardAuth.optional().register(docs, {
    description: 'Check of each request to this route by an auth server such as Authelia, authentik or oauth2-proxy',
  }),
  satisfy: z.enum(['all', 'any'], { error: 'expected all or any' }).optional().register(docs, {
    description:
      'Whether a request must pass all of basic_auth, allow and deny, and forward_auth, or any one of them. Default: all',
  }),
  client_certificate: routeClientCertificate.optional().register(docs, {
    description: 'Client certificates on this route, in place of tls.client_certificates.mode',
  }),
  headers: headerValues.optional().register(docs, {
    description:
      'Response headers of this route, in addition to those of the whole front; off removes one. Strict-Transport-Security is sent over HTTPS only, in place of that of tls.hsts',
  }),
  compression: compressionValue.optional().register(docs, {
    description: 'Compression of the responses of this route',
  }),
  cache: z.union([off, cacheValue], { error: caching }).optional().register(docs, {
    description: 'Cache for the responses of this route, with a separate store; off: none',
  }),
}

/** Settings of a route that differ from those of the whole front; an undefined one is the same. */
export type RouteSettings = z.output<z.ZodObject<typeof routeSettingKeys>>
