import type { z } from 'zod'
import type { trustKeys } from './trust.ts'

type FrontConfig = z.output<z.ZodObject<typeof trustKeys>>

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
  return problems
}
