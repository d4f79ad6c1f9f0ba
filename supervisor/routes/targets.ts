import * as z from 'zod'
import { docs, nginxPath, whole } from '../config/values.ts'

/** What a route may lead to, besides an app or an upstream. */

const text = (expected: string) => z.string({ error: expected }).min(1, expected)
const whatToDo = 'expected true or false'

export const files = z.strictObject({
  root: text('expected a folder')
    .regex(nginxPath, 'expected a folder without quotes, backslashes, ;, {, } and $')
    .register(docs, {
      description:
        'Folder, relative to the directory of the app. A prefix route serves what is below its path from it; an exact or regex route the whole path',
    }),
  index: z
    .string({ error: 'expected a file name' })
    .regex(/^[\w.-]+$/, 'expected a file name such as index.html')
    .default('index.html')
    .register(docs, { description: 'File that answers for a folder' }),
  fallback: z
    .string({ error: 'expected a path such as /index.html' })
    .regex(/^(?!.*\/\.{1,2}(\/|$))\/[A-Za-z0-9._~@+/-]+$/, 'expected a path below the root, such as /index.html')
    .optional()
    .register(docs, {
      description: 'File, from the root, that answers where none is found (single-page apps); default: 404',
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
        'Cache-Control by pattern; the first that fits counts. One with a slash at its start is for the path below the route, another one for the name of the file; * stops at a slash, ** does not',
    }),
  listing: z
    .boolean({ error: whatToDo })
    .default(false)
    .register(docs, { description: 'Whether a folder without an index lists its files' }),
  symlinks: z.boolean({ error: whatToDo }).default(false).register(docs, {
    description:
      'Whether symbolic links below the root are followed, wherever they lead; Kubernetes mounts ConfigMaps as links',
  }),
})

const redirectStatus = 'expected 301, 302, 303, 307 or 308'

export const redirect = z.strictObject({
  to: text('expected a URL or a path')
    .regex(/^(https?:\/\/[^\s"'\\;{}$/]+|(?=\/))[^\s"'\\;{}$]*$/, 'expected https://HOST/PATH or /PATH, without $')
    .regex(/^[\x20-\x7e]*$/, 'expected an address in ASCII, such as /caf%C3%A9 for /café')
    .register(docs, { description: 'Where to: https://HOST/PATH, or a path of the same host' }),
  status: z
    .union([z.literal(301), z.literal(302), z.literal(303), z.literal(307), z.literal(308)], { error: redirectStatus })
    .default(308)
    .register(docs, { description: '308 and 307 keep the method; 301 and 308 are for good, and browsers keep them' }),
  keep_path: z
    .boolean({ error: whatToDo })
    .default(false)
    .register(docs, { description: 'Whether what the path has below the route, and the query, are appended' }),
})

/** nginx reads no word of more than 4096 bytes. */
const longestBody = 4000
const responseStatus = 'expected a status from 200 to 599'

export const response = z.strictObject({
  status: whole(200, 599, responseStatus)
    .refine(
      status => status < 300 || status > 399,
      'expected a status that is no redirect; the key redirect is for those',
    )
    .default(200)
    .register(docs, { description: 'The status; an error without a body gets a page of nginx' }),
  body: z
    .string({ error: 'expected a text' })
    .refine(
      body => writtenLength(body) <= longestBody,
      `expected at most ${longestBody} bytes, of which " and \\ take two and $ 18; serve a file instead`,
    )
    .refine(body => !body.includes('\0'), 'expected a text without a NUL character')
    .default('')
    .register(docs, { description: 'The text' }),
  content_type: z
    .string({ error: 'expected a media type such as application/json' })
    .regex(/^[\w.+-]+\/[\w.+-]+$/, 'expected a media type such as application/json')
    .default('text/plain')
    .register(docs, { description: 'Its media type; UTF-8' }),
})

/** Bytes of a text as nginx is given it. */
function writtenLength(text: string): number {
  return new TextEncoder().encode(text.replaceAll(/["\\]/g, 'xx').replaceAll('$', 'x'.repeat(18))).length
}

export type FilesTarget = z.output<typeof files>
export type RedirectTarget = z.output<typeof redirect>
export type ResponseTarget = z.output<typeof response>
