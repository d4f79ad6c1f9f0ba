import * as z from 'zod'
import { docs, nginxPath, whole } from '../config/values.ts'

const text = (expected: string) => z.string({ error: expected }).min(1, expected)
const trueOrFalse = 'expected true or false'

const files = z.strictObject({
  root: text('expected a directory')
    .regex(nginxPath, 'expected a directory without quotes, backslashes, ;, {, } and $')
    .register(docs, {
      description:
        'Directory, relative to that of the app. A prefix route appends what follows its path; an exact or regex route appends the whole path',
    }),
  index: z
    .string({ error: 'expected a file name' })
    .regex(/^[\w.-]+$/, 'expected a file name such as index.html')
    .default('index.html')
    .register(docs, { description: 'File that is served for a directory' }),
  fallback: z
    .string({ error: 'expected a path such as /index.html' })
    .regex(/^(?!.*\/\.{1,2}(\/|$))\/[A-Za-z0-9._~@+/-]+$/, 'expected a path below the root, such as /index.html')
    .optional()
    .register(docs, {
      description:
        'Path below the root of the file that is served where no file exists (single-page apps); default: 404',
    }),
  fallback_for: z.enum(['pages', 'all'], { error: 'expected pages or all' }).default('pages').register(docs, {
    description:
      'Paths that get the fallback. pages: those without an extension, so that a missing script, style or image is 404; all: every path',
  }),
  cache: z
    .record(
      z.string().regex(/^[A-Za-z0-9._~@+*/-]+$/, 'expected a pattern such as "*.js" or /assets/**'),
      z
        .string({ error: 'expected a Cache-Control value such as no-cache' })
        .regex(/^[\w=", -]+$/, 'expected a Cache-Control value such as "public, max-age=3600"'),
      { error: 'expected patterns with a Cache-Control value each' },
    )
    .default({})
    .register(docs, {
      description:
        'Cache-Control by pattern; the first matching pattern applies. A pattern that begins with a slash is compared with the path below the route, any other with the file name. * stops at a slash, ** does not',
    }),
  listing: z
    .boolean({ error: trueOrFalse })
    .default(false)
    .register(docs, { description: 'Whether a directory without an index lists its files' }),
  symlinks: z.boolean({ error: trueOrFalse }).default(false).register(docs, {
    description:
      'Whether symbolic links below the root are followed, wherever they lead; Kubernetes mounts ConfigMaps as links',
  }),
})

const redirectStatus = 'expected 301, 302, 303, 307 or 308'

const redirect = z.strictObject({
  to: text('expected a URL or a path')
    .regex(/^(https?:\/\/[^\s"'\\;{}$/]+|(?=\/))[^\s"'\\;{}$]*$/, 'expected https://HOST/PATH or /PATH, without $')
    .regex(/^[\x20-\x7e]*$/, 'expected an address in ASCII, such as /caf%C3%A9 for /café')
    .register(docs, { description: 'Target: https://HOST/PATH, or a path on the same host' }),
  status: z
    .union([z.literal(301), z.literal(302), z.literal(303), z.literal(307), z.literal(308)], { error: redirectStatus })
    .default(308)
    .register(docs, { description: 'Status. 307 and 308 keep the method; browsers cache 301 and 308 permanently' }),
  keep_path: z
    .boolean({ error: trueOrFalse })
    .default(false)
    .register(docs, { description: 'Whether the path below the route and the query are appended' }),
})

/** Bytes of a body at most: nginx reads parameters of up to 4096 bytes. */
const longestBody = 4000
const responseStatus = 'expected a status from 200 to 599'

const response = z.strictObject({
  status: whole(200, 599, responseStatus)
    .refine(
      status => status < 300 || status > 399,
      'expected a status other than a redirect; use the key redirect for those',
    )
    .default(200)
    .register(docs, { description: "Status; an error without a body gets nginx's page" }),
  body: z
    .string({ error: 'expected text' })
    .refine(
      body => writtenLength(body) <= longestBody,
      `expected at most ${longestBody} bytes, where " and \\ count as 2 and $ as 18; serve a file instead`,
    )
    .refine(body => !body.includes('\0'), 'expected text without a NUL character')
    .default('')
    .register(docs, { description: 'Body of the response' }),
  content_type: z
    .string({ error: 'expected a media type such as application/json' })
    .regex(/^[\w.+-]+\/[\w.+-]+$/, 'expected a media type such as application/json')
    .default('text/plain')
    .register(docs, { description: 'Media type of the body, in UTF-8' }),
})

/** Bytes of a text as it is written for nginx. */
function writtenLength(text: string): number {
  return new TextEncoder().encode(text.replaceAll(/["\\]/g, 'xx').replaceAll('$', 'x'.repeat(18))).length
}

/** Keys of a route that name its target: one of them is set. */
export const targetKeys = {
  app: z
    .string({ error: 'expected the name of an app' })
    .optional()
    .register(docs, { description: 'App that gets the requests' }),
  upstream: z
    .string({ error: 'expected the name of an upstream' })
    .optional()
    .register(docs, { description: 'Upstream whose servers get the requests' }),
  files: files.optional().register(docs, { description: 'Directory of static files' }),
  redirect: redirect.optional().register(docs, { description: 'Redirect to another URL or path' }),
  internal: z.enum(['metrics', 'status'], { error: 'expected metrics or status' }).optional().register(docs, {
    description:
      'Page of monohull itself. metrics: those for Prometheus; status: the status page. The route must have basic_auth, allow, forward_auth or client_certificate: required, of its own or of the whole front',
  }),
  response: response.optional().register(docs, { description: 'Fixed response' }),
}

/** Every kind of target. */
export const targetKinds = Object.keys(targetKeys) as (keyof typeof targetKeys)[]

/** Validated keys of `files`. */
export type FilesTarget = z.output<typeof files>
/** Validated keys of `redirect`. */
export type RedirectTarget = z.output<typeof redirect>
/** Validated keys of `response`. */
export type ResponseTarget = z.output<typeof response>

/** Response without keys. */
export const defaultResponse: ResponseTarget = response.parse({})
