import * as z from 'zod'
import { docs } from '../config/values.ts'
import { presetNames } from './forward-auth-presets.ts'

const path = 'expected a path such as /auth'
const url = 'expected https://HOST/PATH or /PATH, in which {url} or {path} stands for the address to return to, or off'
const header = 'expected a header such as Remote-User, which neither HTTP nor monohull itself sets'

/** Headers that a connection depends on, or that snippets/proxy.conf sets. */
const reservedHeaders =
  /^(host|connection|upgrade|te|trailer|expect|keep-alive|transfer-encoding|content-.*|cookie|set-cookie|proxy|proxy-.*|forwarded|x-real-ip|x-request-(id|start)|traceparent|tracestate|x-forwarded-(for|proto|host|port|server|scheme|protocol|ssl|prefix)|x-url-scheme|client-ip|client-cert(-chain)?|x-sendfile-type|x-accel-.*|x-ssl-.*|x-client-cert-.*)$/i

/** Whether a header of the auth server can be copied to requests for an app. */
export function isCopyable(name: string): boolean {
  return /^[A-Za-z][A-Za-z0-9-]{0,63}$/.test(name) && !reservedHeaders.test(name)
}

const signIn = z
  .string({ error: url })
  .regex(/^(https?:\/\/[^\s"'\\;{}$/?#]+|(?=\/(?!\/)))(\{url\}|\{path\}|[^\s"'\\;{}$])*$/, url)
  .regex(/^[\x20-\x7e]*$/, 'expected an address in ASCII')

/** The key `forward_auth` of a route. */
export const forwardAuth = z
  .strictObject(
    {
      preset: z
        .enum(presetNames, { error: `expected ${presetNames.join(', ')}` })
        .optional()
        .register(docs, { description: 'Auth server whose path, headers and sign-in are known' }),
      upstream: z
        .string({ error: 'expected the name of an upstream' })
        .register(docs, { description: 'Upstream of the auth server' }),
      path: z
        .string({ error: path })
        .regex(/^\/[A-Za-z0-9._~@+%/?=&-]*$/, path)
        .optional()
        .register(docs, {
          description:
            'Path at which nginx asks about each request: 2xx lets it through, 401 and 403 reject it, anything else or no response is 503. Default: that of the preset',
        }),
      copy_headers: z
        .array(z.string({ error: header }).refine(isCopyable, header), { error: 'expected a list of headers' })
        .optional()
        .register(docs, {
          description:
            "Headers of the auth server's response that the app gets. On every route, headers of clients with these names are removed. Default: those of the preset",
        }),
      sign_in: z
        .union([z.literal('off'), signIn], { error: url })
        .optional()
        .register(docs, {
          description:
            'Address that browsers without a session are sent to in place of 401. {url} stands for the encoded URL of the request, {path} for its path and query. Default: that of the preset; off: 401',
        }),
    },
    { error: 'expected the keys of forward_auth: preset, upstream, path, copy_headers, sign_in' },
  )
  .superRefine(({ preset, path: own }, context) => {
    if (preset !== undefined || own !== undefined) return
    const params = { fix: `set path, or preset to one of ${presetNames.join(', ')}` }
    context.addIssue({ code: 'custom', path: ['path'], message: 'is required without a preset', params })
  })

/** Validated value of `forward_auth`. */
export type ForwardAuthConfig = z.output<typeof forwardAuth>
