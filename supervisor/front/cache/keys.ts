import * as z from 'zod'
import { docs, duration } from '../../config/values.ts'

const size = 'expected a size such as 512k, 256m or 4g'
const key = 'expected text with nginx variables such as $host$request_uri'

/** How to cache, for the whole front or a route. */
export const cacheValue = z.strictObject({
  ttl: duration('0s', 0).register(docs, {
    description:
      'How long an answer (200, 301, 308) is kept that does not say it itself by Cache-Control or Expires; 0s: not at all',
  }),
  key: z
    .string({ error: key })
    // without a variable every page would be answered with the same
    .regex(/^(?!#)(?=.*\$)([^\s"'\\;{}$\p{Cc}]|\$[a-z]\w*)+$/u, key)
    .default('$monohull_proto://$monohull_host$request_uri')
    .register(docs, { description: 'What tells answers apart, with variables of nginx' }),
  max_size: z
    .string({ error: size })
    .regex(/^[1-9]\d{0,8}[kmg]$/, size)
    .default('256m')
    .register(docs, {
      description: 'What the answers may take in run_dir; the ones not asked for longest make room',
    }),
  stale_while_revalidate: z.boolean({ error: 'expected true or false' }).default(false).register(docs, {
    description: 'Answer from the cache with what has run out, while one request fetches it anew',
  }),
  cookies: z.enum(['bypass', 'ignore'], { error: 'expected bypass or ignore' }).default('bypass').register(docs, {
    description:
      'A request with cookies: bypass: goes to the app, and its answer is not kept; ignore: is like one without. One with Authorization or a client certificate always bypasses',
  }),
})

/** The key `cache`. */
export const cache = cacheValue.optional()

const path = 'expected a path that ends with a slash, such as /protected/'

/** The key `send_files`. */
export const sendFiles = z
  .record(
    z.string().regex(/^(\/(?!\.{1,2}\/)[A-Za-z0-9._~-]+)+\/$/, path),
    z.string({ error: 'expected a folder' }).min(1, 'expected a folder'),
    { error: 'expected paths with a folder each' },
  )
  .default({})
  .register(docs, {
    description:
      'Folders, relative to the app directory, from which the app has nginx send a file by X-Accel-Redirect, by the path that begins its value; nobody else gets there',
  })
