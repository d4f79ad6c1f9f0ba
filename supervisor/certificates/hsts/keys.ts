import * as z from 'zod'
import { docs, duration } from '../../config/values.ts'

const error = 'expected true, false or {max_age, include_subdomains, preload}'
const yearMs = 365 * 86_400_000

/** Key `tls.hsts`. */
export const hsts = z
  .union(
    [
      z.boolean(),
      z.strictObject({
        max_age: duration('0s', 0).optional().register(docs, {
          description:
            'Time for which browsers use only HTTPS, such as 365d; 0s: browsers forget it; default: in stages',
        }),
        include_subdomains: z.boolean({ error: 'expected true or false' }).default(false).register(docs, {
          description: 'Whether it also applies to every name below the host',
        }),
        preload: z.boolean({ error: 'expected true or false' }).default(false).register(docs, {
          description:
            'Whether browsers may add the host to their preload lists (hstspreload.org), which is hard to undo',
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
      'Strict-Transport-Security (HSTS): browsers use only HTTPS from then on, and do not let users bypass a certificate error. true: for 5 minutes at first, then a week, 30 days and two years; each stage begins once the certificate has been valid for the time of the previous one. Never sent with a certificate from the local CA',
  })

/** Keys under `tls.hsts` that contradict each other or other keys. */
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
      'is rejected by the preload lists without max_age of at least one year and include_subdomains',
      'also set max_age: 730d and include_subdomains: true',
    )
  if (https === 'off' && trusted_proxies.length === 0)
    complain('', 'is never sent with https: off', 'remove it, or add the proxy that terminates TLS to trusted_proxies')
  else if (https === 'off' && maxAgeMs === undefined)
    complain('', 'needs a certificate for its stages, and https: off serves none', 'set tls.hsts.max_age')
  return problems
}
