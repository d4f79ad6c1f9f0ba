import * as z from 'zod'
import { docs, hostName, optionalDuration } from '../config/values.ts'
import { routeSpoolKeys } from '../front/spool-keys.ts'
import { routeSettingKeys } from './setting-keys.ts'
import { targetKeys } from './targets.ts'

/** Comparison of a route's path with that of a request. */
export type Match = 'prefix' | 'exact' | 'regex'

const rewrite = z.strictObject({
  from: z
    .string({ error: 'expected a regular expression' })
    .regex(/^[^\n\0]+$/, 'expected a regular expression in one line')
    // nginx would read it as a flag
    .regex(/^[^*]/, 'expected a regular expression, in which * follows what it repeats, such as .*')
    .register(docs, {
      description: 'Regular expression (PCRE) for the path as the client wrote it, without the query',
    }),
  to: z
    .string({ error: 'expected a path such as /v2/$1' })
    .regex(/^\/([A-Za-z0-9._~@+%/-]|\$[1-9])*$/, 'expected a path such as /v2/$1, without a query')
    .register(docs, { description: 'The new path, with $1 to $9 for the groups in parentheses; the query is kept' }),
})

/** Keys of a route. */
export const routeKeys = z.strictObject({
  host: hostName
    .transform(host => host.toLowerCase())
    .optional()
    .register(docs, {
      description: 'Host name that requests must have, such as www.example.com or *.example.com; default: any',
    }),
  path: z.string({ error: 'expected a path such as /api' }).default('/').register(docs, {
    description:
      'Path that a request must have or begin with, in whole segments: /api matches /api and /api/x, not /apix',
  }),
  match: z
    .enum(['prefix', 'exact', 'regex'], { error: 'expected prefix, exact or regex' })
    .default('prefix')
    .register(docs, {
      description:
        'Comparison with path: exact routes are tried first, then the first regex (PCRE) that matches, then the longest prefix',
    }),
  ...targetKeys,
  strip_prefix: z.boolean({ error: 'expected true or false' }).optional().register(docs, {
    description:
      'Whether the app or upstream gets the path without the prefix: /x for /api/x. The prefix is added back to its Location and Refresh headers and the paths of its cookies. X-Forwarded-Prefix contains the prefix',
  }),
  rewrite: rewrite.optional().register(docs, { description: 'Path to send to the app or upstream instead' }),
  read_timeout: optionalDuration().register(docs, {
    description:
      'Read timeout of the app or upstream: the longest pause before and within a response, and on a WebSocket. If it is exceeded, the client gets 504, and the request is not retried elsewhere. Default: 60s',
  }),
  ...routeSpoolKeys,
  buffering: z.enum(['on', 'off'], { error: 'expected on or off' }).optional().register(docs, {
    description: 'The same as response_buffering, which also accepts a size',
  }),
  ...routeSettingKeys,
  snippet: z
    .string({ error: 'expected a file' })
    .regex(/^[^"\\;{}$*?[\n\0]+$/, 'expected a file, without quotes, backslashes, *, ?, [, ;, {, } and $')
    .optional()
    .register(docs, {
      description: "File with nginx directives for this route's location, relative to the app's directory",
    }),
})

/** Keys of a route after validation. */
export type RouteKeys = z.output<typeof routeKeys>

/** Path without its trailing slash. */
export function trimPath(path: string): string {
  return path.replace(/\/$/, '')
}
