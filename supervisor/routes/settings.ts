import * as z from 'zod'
import { docs } from '../config/values.ts'
import { cacheValue } from '../front/cache/keys.ts'
import { routeClientCertificate } from '../front/client-certificate-keys.ts'
import { compressionValue } from '../front/compression-keys.ts'
import { authRealm, bodySize, connectionCount, passwordFile, requestRate } from '../front/limit-keys.ts'
import { headerValues } from '../front/response-header-keys.ts'
import { networks } from '../front/trust-keys.ts'

const off = z.literal('off')
const rate = 'expected a rate such as 10/s, 60/m or 10/s burst=50, or off'
const connections = 'expected a whole number from 1 to 65535, or off'
const auth = 'expected {file: PATH, realm: TEXT} or off'
const addresses = 'expected a list of addresses or networks such as 10.0.0.0/8, or off'
const caching = 'expected the keys of cache, or off'

/** Keys that the whole front has too: what a route says counts for it, in place of what the front says. */
export const routeSettingKeys = {
  max_body_size: bodySize.optional().register(docs, {
    description: 'The largest body of a request for this route; off: any',
  }),
  rate_limit: z.union([off, requestRate], { error: rate }).optional().register(docs, {
    description: 'Requests that one address may send for this route, counted by themselves; off: any number',
  }),
  connection_limit: z.union([off, connectionCount], { error: connections }).optional().register(docs, {
    description: 'Requests of one address for this route that may be open at the same time; off: any number',
  }),
  basic_auth: z
    .union(
      [
        off,
        z.strictObject({
          file: passwordFile.register(docs, { description: 'Names and hashed passwords for this route' }),
          realm: authRealm
            .optional()
            .register(docs, { description: 'What the browser shows when it asks; default: Restricted' }),
        }),
      ],
      { error: auth },
    )
    .optional()
    .register(docs, { description: 'Who gets an answer of this route; off: nobody is asked for a password' }),
  allow: z.union([off, networks], { error: addresses }).optional().register(docs, {
    description: 'Addresses and networks (CIDR) that get an answer of this route; off: all that are not denied',
  }),
  deny: z.union([off, networks], { error: addresses }).optional().register(docs, {
    description: 'Addresses and networks (CIDR) that get 403 from this route, before allow is looked at; off: none',
  }),
  client_certificate: routeClientCertificate.optional().register(docs, {
    description: 'Whether this route takes a certificate of the client, other than tls.client_certificates.mode says',
  }),
  headers: headerValues.optional().register(docs, {
    description:
      'Headers of the answers of this route, beside those of the whole front; off leaves one out. Strict-Transport-Security goes out over HTTPS only, in place of that of tls.hsts',
  }),
  compression: compressionValue.optional().register(docs, {
    description: 'Whether and how the answers of this route are compressed',
  }),
  cache: z.union([off, cacheValue], { error: caching }).optional().register(docs, {
    description: 'The cache for the answers of this route, with a store of its own; off: none',
  }),
}

/** What a route has otherwise than the whole front; what is undefined is as there. */
export type RouteSettings = z.output<z.ZodObject<typeof routeSettingKeys>>
