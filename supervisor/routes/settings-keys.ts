import * as z from 'zod'
import { docs, hostName, optionalDuration } from '../config/values.ts'
import { routeSettingKeys } from './settings.ts'
import { files, redirect, response } from './targets.ts'

/** How a route's path is compared with a request's. */
export type Match = 'prefix' | 'exact' | 'regex'

const rewrite = z.strictObject({
  from: z
    .string({ error: 'expected a regular expression' })
    .regex(/^[^\n\0]+$/, 'expected a regular expression in one line')
    // nginx would take it for a flag
    .regex(/^[^*]/, 'expected a regular expression, in which * stands after what it repeats, such as .*')
    .register(docs, {
      description: 'Regular expression (PCRE) for the path as the client wrote it, without the query',
    }),
  to: z
    .string({ error: 'expected a path such as /v2/$1' })
    .regex(/^\/([A-Za-z0-9._~@+%/-]|\$[1-9])*$/, 'expected a path such as /v2/$1, without a query')
    .register(docs, { description: 'The path instead, with $1 to $9 for what is in parentheses; the query stays' }),
})

/** What a route is written with. */
export const routeKeys = z.strictObject({
  host: hostName
    .transform(host => host.toLowerCase())
    .optional()
    .register(docs, {
      description: 'Only for requests to this host name, such as www.example.com or *.example.com; default: any',
    }),
  path: z.string({ error: 'expected a path such as /api' }).default('/').register(docs, {
    description:
      'What the path of the request is or begins with, in whole segments: /api is for /api and /api/x, not for /apix',
  }),
  match: z
    .enum(['prefix', 'exact', 'regex'], { error: 'expected prefix, exact or regex' })
    .default('prefix')
    .register(docs, {
      description:
        'How path is compared: exact ones come first, then the first regex (PCRE) that fits, then the longest prefix',
    }),
  app: z
    .string({ error: 'expected the name of an app' })
    .optional()
    .register(docs, { description: 'The app that answers' }),
  upstream: z
    .string({ error: 'expected the name of an upstream' })
    .optional()
    .register(docs, { description: 'The upstream whose servers answer' }),
  files: files.optional().register(docs, { description: 'A folder of static files' }),
  redirect: redirect.optional().register(docs, { description: 'Sends the client elsewhere' }),
  response: response.optional().register(docs, { description: 'A fixed answer' }),
  strip_prefix: z.boolean({ error: 'expected true or false' }).optional().register(docs, {
    description:
      'Whether the app or upstream gets the path without that of the route: /x for /api/x. Its Location and Refresh headers and the paths of its cookies get it back; X-Forwarded-Prefix tells it',
  }),
  rewrite: rewrite.optional().register(docs, { description: 'Another path for the app or upstream' }),
  read_timeout: optionalDuration().register(docs, {
    description:
      'The longest silence of the app or upstream before and within an answer, and on a WebSocket; after it 504, and nobody else is asked. Default: 60s',
  }),
  buffering: z.enum(['on', 'off'], { error: 'expected on or off' }).optional().register(docs, {
    description: 'off: every byte of an answer goes on at once, and a slow client keeps its worker busy; default: on',
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

export type RouteKeys = z.output<typeof routeKeys>

/** A path without the slash at its end. */
export function trimPath(path: string): string {
  return path.replace(/\/$/, '')
}
