import * as z from 'zod'
import { docs } from './values.ts'

const usual: Record<string, string> = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'strict-origin-when-cross-origin',
}
const ofNginx =
  /^(alt-svc|connection|content-(encoding|length|type)|date|keep-alive|server|set-cookie|trailer|transfer-encoding|upgrade)$/i
const value = 'expected a text without line breaks and $, or off'

/** The key `headers`. */
export const responseHeaders = z
  .record(
    z
      .string()
      .regex(/^[A-Za-z0-9-]+$/, 'expected the name of a header')
      .refine(name => !ofNginx.test(name), 'expected another header: nginx or the app writes this one'),
    z.string({ error: value }).regex(/^[^\p{Cc}$]+$/u, value),
    { error: 'expected names of headers with their values' },
  )
  .default({})
  .register(docs, {
    description:
      'Headers of every answer that the app did not set itself, by name; off leaves one out. X-Content-Type-Options and Referrer-Policy are always there; Strict-Transport-Security goes out over HTTPS only',
  })

/** The headers to add, with the usual ones. Names differ in more than their case. */
export function headersOf(configured: z.output<typeof responseHeaders>): { name: string; value: string }[] {
  const entries = Object.entries(configured).map(([name, value]) => [name.toLowerCase(), value] as const)
  return [...new Map([...Object.entries(usual), ...entries])]
    .filter(([, value]) => value !== 'off')
    .map(([name, value]) => ({ name: name.replace(/(^|-)[a-z]/g, letter => letter.toUpperCase()), value }))
}
