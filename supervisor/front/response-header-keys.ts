import * as z from 'zod'
import { docs } from '../config/values.ts'
import { isHsts } from './hsts-name.ts'

const ofNginx =
  /^(alt-svc|connection|content-(encoding|length|type)|date|keep-alive|server|set-cookie|trailer|transfer-encoding|upgrade|x-cache)$/i
const value = 'expected text without line breaks and $, or off'

/** Each answer has another value, that nginx makes. */
const requestId = 'x-request-id'

/** Names of headers with their values, for the whole front or a route. */
export const headerValues = z
  .record(
    z
      .string()
      .regex(/^[A-Za-z0-9-]+$/, 'expected the name of a header')
      .refine(name => !ofNginx.test(name), 'expected another header: nginx or the app writes this one'),
    z.string({ error: value }).regex(/^[^\p{Cc}$]+$/u, value),
    { error: 'expected names of headers with their values' },
  )
  .superRefine((headers, context) => {
    const names = Object.keys(headers)
    for (const [index, name] of names.entries()) {
      const first = names.findIndex(other => other.toLowerCase() === name.toLowerCase())
      if (first === index) continue
      const params = { fix: 'leave one of the two out' }
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
        message: 'is for tls.hsts, which sends it while the certificate is good',
        params: { fix: 'leave it out, and set tls.hsts' },
      })
  })
  .default({})
  .register(docs, {
    description:
      'Headers of every answer that the app did not set itself, by name; off leaves one out. X-Content-Type-Options and Referrer-Policy are always there; for Strict-Transport-Security there is tls.hsts; X-Request-Id: on tells the id that the log and the app have',
  })

/** Headers of every answer, as they are configured. */
export type ResponseHeadersConfig = z.output<typeof responseHeaders>
