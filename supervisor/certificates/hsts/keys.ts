import * as z from 'zod'
import { docs, duration } from '../../config/values.ts'

const error = 'expected true, false or {max_age, include_subdomains, preload}'
const yearMs = 365 * 86_400_000

/** The key `tls.hsts`. */
export const hsts = z
  .union(
    [
      z.boolean(),
      z.strictObject({
        max_age: duration('0s', 0).optional().register(docs, {
          description: 'How long browsers keep to HTTPS, such as 365d; 0s: no longer; default: in stages',
        }),
        include_subdomains: z.boolean({ error: 'expected true or false' }).default(false).register(docs, {
          description: 'Whether that is for every name below the host too',
        }),
        preload: z.boolean({ error: 'expected true or false' }).default(false).register(docs, {
          description:
            'Whether browsers may build the host into their lists (hstspreload.org), which can hardly be taken back',
        }),
      }),
    ],
    { error },
  )
  .transform(value => {
    if (value === false) return undefined
    if (value === true) return { maxAgeMs: undefined, includeSubdomains: false, preload: false }
    return { maxAgeMs: value.max_age, includeSubdomains: value.include_subdomains, preload: value.preload }
  })
  .prefault(false)
  .register(docs, {
    description:
      'Strict-Transport-Security (HSTS): browsers use HTTPS alone from then on, and let nobody click a bad certificate away. true: for 5 minutes at first, then a week, 30 days and two years, each once the certificate has been good for as long as the one before; never with a certificate of the local CA',
  })

/** What of it does not go together. */
export function describeHstsProblems({
  https,
  trusted_proxies,
  tls,
}: {
  https: 'redirect' | 'on' | 'off'
  trusted_proxies: readonly string[]
  tls: { hsts: z.output<typeof hsts> }
}) {
  if (!tls.hsts) return []
  const { maxAgeMs, includeSubdomains, preload } = tls.hsts
  const problems: { path: string[]; message: string; params: { fix: string } }[] = []
  const complain = (key: string, message: string, fix: string) =>
    problems.push({ path: ['tls', 'hsts', key].filter(name => name !== ''), message, params: { fix } })
  if (preload && (!includeSubdomains || maxAgeMs === undefined || maxAgeMs < yearMs))
    complain(
      'preload',
      'is refused by the lists of browsers without the other two',
      'set max_age: 730d and include_subdomains: true beside it',
    )
  if (https === 'off' && trusted_proxies.length === 0)
    complain('', 'is never sent with https: off', 'leave it out, or name the proxy that ends TLS in trusted_proxies')
  else if (https === 'off' && maxAgeMs === undefined)
    complain('', 'has no certificate to watch with https: off', 'set tls.hsts.max_age')
  return problems
}
