import type { z } from 'zod'
import type { trustKeys } from './trust.ts'

type FrontConfig = z.output<z.ZodObject<typeof trustKeys>> & { http3: boolean; https: 'redirect' | 'on' | 'off' }

export interface FrontProblem {
  path: string[]
  message: string
  params: { fix: string }
}

/** What is wrong with keys about the front that are well-formed one by one. */
export function describeFrontProblems(config: FrontConfig): FrontProblem[] {
  const problems: FrontProblem[] = []
  if (config.proxy_protocol && config.trusted_proxies.length === 0) {
    problems.push({
      path: ['proxy_protocol'],
      message: 'is of no use without trusted_proxies: anybody may write such a header',
      params: { fix: 'set trusted_proxies to the addresses of the balancers, such as [10.0.0.0/8]' },
    })
  }
  if (config.http3 && config.https === 'off') {
    problems.push({
      path: ['http3'],
      message: 'is of no use with https: off, since there is no HTTP/3 without TLS',
      params: { fix: 'leave http3 out, or set https to redirect or on' },
    })
  }
  if (config.http3 && config.proxy_protocol) {
    problems.push({
      path: ['http3'],
      message: 'does not go with proxy_protocol, which is for TCP',
      params: { fix: 'leave one of the two out' },
    })
  }
  return problems
}
