import * as z from 'zod'
import { docs } from '../config/values.ts'
import { isHsts } from './hsts-name.ts'

const reserved =
  /^(alt-svc|connection|content-(encoding|length|type)|date|keep-alive|server|set-cookie|trailer|transfer-encoding|upgrade|x-cache)$/i
const value = 'expected text without line breaks and $, or off'

/** Header whose value nginx generates for each response. */
const requestId = 'x-request-id'

/** Response headers by name, for the whole front or a route. */
export const headerValues = z
  .record(
    z
      .string()
      .regex(/^[A-Za-z0-9-]+$/, 'expected the name of a header')
      .refine(name => !reserved.test(name), 'expected another header: nginx or the app sets this one'),
    z.string({ error: value }).regex(/^[^\p{Cc}$]+$/u, value),
    { error: 'expected names of headers with their values' },
  )
  .superRefine((headers, context) => {
    const names = Object.keys(headers)
    for (const [index, name] of names.entries()) {
      const first = names.findIndex(other => other.toLowerCase() === name.toLowerCase())
      if (first === index) continue
      const params = { fix: 'remove one of the two' }
      context.addIssue({ code: 'custom', path: [name], message: `is the same header as ${names[first]}`, params })
    }
    for (const [name, value] of Object.entries(headers))
      if (name.toLowerCase() === requestId && value !== 'on' && value !== 'off')
        context.addIssue({ code: 'custom', path: [name], message: 'expected on or off' })
  })

/** The key `headers`. */
export const responseHeaders = headerValues
  .superRefine((headers, context) => {
    for (const name of Object.keys(headers).filter(isHsts))
      context.addIssue({
        code: 'custom',
        path: [name],
        message: 'must be set with tls.hsts, which only sends it while the certificate is valid',
        params: { fix: 'remove it, and set tls.hsts' },
      })
  })
  .default({})
  .register(docs, {
    description:
      'Headers of every response, by name, unless the app sets them itself; off removes one. X-Content-Type-Options and Referrer-Policy are sent by default. Set Strict-Transport-Security with tls.hsts. X-Request-Id: on sends the id that the log and the app have',
  })

/** Value of the key `headers`. */
export type ResponseHeadersConfig = z.output<typeof responseHeaders>
