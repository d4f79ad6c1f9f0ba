import * as z from 'zod'
import { docs } from './values.ts'

const ofNginx =
  /^(alt-svc|connection|content-(encoding|length|type)|date|keep-alive|server|set-cookie|trailer|transfer-encoding|upgrade)$/i
const value = 'expected a text without line breaks and $, or off'

/** Names of headers with their values, for the whole front or a route. */
export const headerValues = z.record(
  z
    .string()
    .regex(/^[A-Za-z0-9-]+$/, 'expected the name of a header')
    .refine(name => !ofNginx.test(name), 'expected another header: nginx or the app writes this one'),
  z.string({ error: value }).regex(/^[^\p{Cc}$]+$/u, value),
  { error: 'expected names of headers with their values' },
)

/** The key `headers`. */
export const responseHeaders = headerValues.default({}).register(docs, {
  description:
    'Headers of every answer that the app did not set itself, by name; off leaves one out. X-Content-Type-Options and Referrer-Policy are always there; Strict-Transport-Security goes out over HTTPS only',
})

/** Headers of every answer, as they are configured. */
export type ResponseHeadersConfig = z.output<typeof responseHeaders>
