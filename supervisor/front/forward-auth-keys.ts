import * as z from 'zod'
import { docs } from '../config/values.ts'
import { authUpstreamName, isVerifiable, readAuthUrl } from './auth-url.ts'
import { presetNames } from './forward-auth-presets.ts'

const path = 'expected a path such as /auth'
const server = 'expected an http or https URL such as https://auth.example.com/check'
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
        .optional()
        .register(docs, { description: 'Upstream of the auth server' }),
      url: z
        .string({ error: server })
        .refine(text => readAuthUrl(text) !== undefined, server)
        .optional()
        .register(docs, {
          description:
            'URL at which the auth server is asked, in place of upstream and path. The certificate of an https URL is verified; a name is re-resolved periodically',
        }),
      path: z
        .string({ error: path })
        .regex(/^\/[A-Za-z0-9._~@+%/?=&-]*$/, path)
        .optional()
        .register(docs, {
          description:
            'Path at which nginx asks about each request: 2xx lets it through, 401 and 403 reject it, anything else or no response is 503. Default: that of url, else that of the preset',
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
    { error: 'expected the keys of forward_auth: preset, upstream or url, path, copy_headers, sign_in' },
  )
  .superRefine(({ preset, upstream, url, path: own }, context) => {
    const complain = (key: string, message: string, fix: string) =>
      context.addIssue({ code: 'custom', path: [key], message, params: { fix } })
    const server = url === undefined ? undefined : readAuthUrl(url)
    if (upstream === undefined && url === undefined)
      complain('upstream', 'is required without url', 'set upstream to the name of an upstream, or url')
    if (upstream !== undefined && url !== undefined)
      complain('url', 'conflicts with upstream: there is one auth server', 'remove one of the two')
    if (server?.path !== undefined && own !== undefined)
      complain('path', 'conflicts with url, which has a path', 'remove path, or end url with the host')
    if (server && !isVerifiable(server))
      complain(
        'url',
        'has an address in place of a name, which the certificate of the auth server must contain',
        'name the host, or set upstream, with tls.name in its entry of upstreams',
      )
    if (preset === undefined && own === undefined && url === undefined)
      complain('path', 'is required without a preset', `set path, or preset to one of ${presetNames.join(', ')}`)
  })
  .transform(({ upstream, url, path: own, ...others }) => {
    const server = url === undefined ? undefined : readAuthUrl(url)
    return {
      ...others,
      upstream: upstream ?? (server ? authUpstreamName(server) : ''),
      path: own ?? server?.path,
      server,
    }
  })

/** Validated value of `forward_auth`. */
export type ForwardAuthConfig = z.output<typeof forwardAuth>
