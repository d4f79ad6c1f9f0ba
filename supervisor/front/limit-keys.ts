import * as z from 'zod'
import { docs, whole } from '../config/values.ts'
import { networks } from './trust-keys.ts'

const filePath = (error: string) => z.string({ error }).refine(path => path !== '' && !path.includes('\0'), error)

const size = 'expected a size such as 512k, 10m or 1g, or off'
const rate = 'expected a rate such as 10/s, 60/m or 10/s burst=50'
const realm = 'expected text without quotes, $ and line breaks'
const codes =
  'expected a status from 400 to 501 that nginx itself answers with, such as 404; for 502 to 504 there is maintenance_page'

export const bodySize = z.string({ error: size }).regex(/^([1-9]\d{0,8}[kmg]?|off)$/, size)

export const requestRate = z.string({ error: rate }).regex(/^[1-9]\d{0,5}\/[sm]( burst=\d{1,6})?$/, rate)

export const connectionCount = whole(1, 65_535)

export const passwordFile = filePath('expected the path of an htpasswd file')

export const authRealm = z.string({ error: realm }).regex(/^[^\p{Cc}"\\$]+$/u, realm)

/** Keys about what is let in, for the whole front. */
export const limitKeys = {
  max_body_size: bodySize.default('10m').register(docs, {
    description: 'The largest body of a request; a larger one is answered with 413. off: any',
  }),
  rate_limit: requestRate.optional().register(docs, {
    description:
      'Requests that one address may send in a second or a minute, and how many beyond that at once (20, unless burst= says otherwise); others are answered with 429',
  }),
  connection_limit: connectionCount.optional().register(docs, {
    description: 'Requests of one address that may be open at the same time; those beyond are answered with 429',
  }),
  basic_auth: z
    .strictObject({
      file: passwordFile.optional().register(docs, {
        description:
          'Names and hashed passwords (htpasswd: bcrypt, apr1) without which there is no answer, relative to the app directory, readable by the user of nginx',
      }),
      realm: authRealm
        .optional()
        .register(docs, { description: 'What the browser shows when it asks; default: Restricted' }),
    })
    .prefault({}),
  allow: networks.optional().register(docs, {
    description: 'Addresses and networks (CIDR) that get an answer; all others get 403. Health is for anybody',
  }),
  deny: networks
    .optional()
    .register(docs, { description: 'Addresses and networks (CIDR) that get 403, before allow is looked at' }),
}

/** Keys about what is let in that are for the whole front only. */
export const gateKeys = {
  unknown_host: z
    .enum(['serve', '421', '444'], { error: 'expected serve, "421" or "444"' })
    .default('serve')
    .register(docs, {
      description:
        'What a request for a host that is none of server_names gets: serve: an answer; 421: Misdirected Request; 444: nothing, the connection is closed. Health is for any host',
    }),
  error_pages: z
    .record(z.string().regex(/^(4(?!44|99)\d\d|50[01])$/, codes), filePath('expected the path of an HTML file'), {
      error: 'expected statuses with the path of an HTML file each',
    })
    .default({})
    .register(docs, {
      description:
        'HTML files, relative to the app directory, for errors that nginx itself answers with, by status; what the app answers is left alone',
    }),
}
