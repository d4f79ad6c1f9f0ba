import * as z from 'zod'
import { dataSize, docs, networks, whole } from '../config/values.ts'

const filePath = (error: string) => z.string({ error }).refine(path => path !== '' && !path.includes('\0'), error)

const size = 'expected a size such as 512k, 10m or 1g, or off'
const rate = 'expected a rate such as 10/s, 60/m or 10/s burst=50'
const realm = 'expected text without quotes, $ and line breaks'
const codes =
  'expected a status from 400 to 501 that nginx itself produces, such as 404; for 502 to 504, set maintenance_page'

/** Maximum size of a request body. */
export const bodySize = z.union([z.literal('off'), dataSize(size)], { error: size })

/** Rate of requests, with an optional burst. */
export const requestRate = z.string({ error: rate }).regex(/^[1-9]\d{0,5}\/[sm]( burst=\d{1,6})?$/, rate)

/** Maximum number of concurrent requests. */
export const connectionCount = whole(1, 65_535)

/** Path of an htpasswd file. */
export const passwordFile = filePath('expected the path of an htpasswd file')

/** Text that the browser shows when it asks for a password. */
export const authRealm = z.string({ error: realm }).regex(/^[^\p{Cc}"\\$]+$/u, realm)

/** Whether apps and upstreams get the password. */
export const forwardsPassword = z.boolean({ error: 'expected true or false' })

/** Keys of limits and access control, for the whole front. Routes can override them. */
export const limitKeys = {
  max_body_size: bodySize.prefault('10m').register(docs, {
    description: 'Maximum size of a request body; larger ones get 413. off: unlimited',
  }),
  rate_limit: requestRate.optional().register(docs, {
    description:
      'Requests per second or minute from one address, and how many may exceed that at once (20, unless burst= sets another number); further ones get 429',
  }),
  connection_limit: connectionCount.optional().register(docs, {
    description: 'Maximum number of concurrent requests from one address; further ones get 429',
  }),
  basic_auth: z
    .strictObject({
      file: passwordFile.optional().register(docs, {
        description:
          "htpasswd file with names and hashed passwords (bcrypt, apr1) that clients must provide, relative to the app directory; nginx's user must be able to read it",
      }),
      realm: authRealm.optional().register(docs, {
        description: 'Text that the browser shows when it asks for a password; default: Restricted',
      }),
      forward: forwardsPassword.default(false).register(docs, {
        description: 'Whether apps and upstreams get the name and password (the Authorization header) too',
      }),
    })
    .prefault({}),
  allow: networks.optional().register(docs, {
    description: 'Addresses and networks (CIDR) with access; all others get 403. Health is open to everyone',
  }),
  deny: networks
    .optional()
    .register(docs, { description: 'Addresses and networks (CIDR) that get 403; checked before allow' }),
}

/** Keys of unknown hosts and error pages, which exist for the whole front only. */
export const gateKeys = {
  unknown_host: z
    .enum(['serve', '421', '444'], { error: 'expected serve, "421" or "444"' })
    .default('serve')
    .register(docs, {
      description:
        'Response to a request for a host that is not in server_names: serve: the same as for others; 421: Misdirected Request; 444: none, the connection is closed. Health is available on any host',
    }),
  error_pages: z
    .record(z.string().regex(/^(4(?!44|99)\d\d|50[01])$/, codes), filePath('expected the path of an HTML file'), {
      error: 'expected statuses with the path of an HTML file each',
    })
    .default({})
    .register(docs, {
      description:
        'HTML files, relative to the app directory, by status, for errors that nginx itself produces; responses of the app stay unchanged',
    }),
}
