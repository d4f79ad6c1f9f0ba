import * as z from 'zod'
import { dataSize, docs, duration } from '../../config/values.ts'

const size = 'expected a size such as 512k, 256m or 4g'
const key = 'expected text with nginx variables such as $host$request_uri'

/** Settings of a cache, for the whole front or a route. */
export const cacheValue = z.strictObject({
  ttl: duration('0s', 0).register(docs, {
    description: 'How long responses (200, 301, 308) without Cache-Control or Expires are cached; 0s: not at all',
  }),
  key: z
    .string({ error: key })
    // without a variable, every page would get the same response
    .regex(/^(?!#)(?=.*\$)([^\s"'\\;{}$\p{Cc}]|\$[a-z]\w*)+$/u, key)
    .default('$monohull_proto://$monohull_host$request_uri')
    .register(docs, {
      description: 'Cache key, with nginx variables; requests with the same key get the same response',
    }),
  max_size: dataSize(size).prefault('256m').register(docs, {
    description: 'Maximum size of the cache in run_dir; the least recently used responses are removed first',
  }),
  stale_while_revalidate: z.boolean({ error: 'expected true or false' }).default(false).register(docs, {
    description: 'Serve expired responses from the cache while one request refreshes them',
  }),
  cookies: z.enum(['bypass', 'ignore'], { error: 'expected bypass or ignore' }).default('bypass').register(docs, {
    description:
      'Requests with cookies: bypass: they go to the app, and the response is not cached; ignore: they are treated like requests without cookies. Requests with Authorization or a client certificate always bypass the cache',
  }),
})

/** The key `cache`. */
export const cache = cacheValue.optional()

const path = 'expected a path that ends with a slash, such as /protected/'

/** The key `send_files`. */
export const sendFiles = z
  .record(
    z.string().regex(/^(\/(?!\.{1,2}\/)[A-Za-z0-9._~-]+)+\/$/, path),
    z.string({ error: 'expected a directory' }).min(1, 'expected a directory'),
    { error: 'expected paths with a directory each' },
  )
  .default({})
  .register(docs, {
    description:
      'Directories, relative to the app directory, by path prefix. If the app responds with X-Accel-Redirect and such a path, nginx sends the file. Clients cannot request these paths',
  })
