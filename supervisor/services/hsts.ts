import type { Candidate } from '../domain/certificate-choice.ts'
import { areGood, type Hsts, type HstsProgress, type HstsRule, hstsOf, nextProgress } from '../domain/hsts.ts'
import type { Surroundings } from '../domain/ports.ts'

export interface HstsDeps extends Pick<Surroundings, 'clock'> {
  rule: HstsRule
  hasProxies: boolean
  /** Names that are not known yet get a certificate of a CA at their handshake, or no handshake. */
  isOnDemand: boolean
  /** Where the progress outlives a restart. */
  record: { read(): HstsProgress | undefined; write(progress: HstsProgress | undefined): void }
}

export interface HstsWatch {
  /** Looks at the certificates and the clock; whether something else is to be sent from now on. */
  look(served: readonly Candidate[]): boolean
  /** What is to be sent, as of the last look. */
  header(): Hsts | undefined
}

/** Tells how long browsers are to keep to HTTPS: the longer, the longer it went well. */
export function watchHsts({ rule, hasProxies, isOnDemand, record, clock }: HstsDeps): HstsWatch {
  const isStaged = rule.maxAgeMs === undefined
  let progress = isStaged ? record.read() : undefined
  let header: Hsts | undefined

  return {
    look(served) {
      // beside those on demand a local one is for clients that name no host
      const counted = isOnDemand ? served.filter(({ source }) => source !== 'local-ca') : served
      const isGood = (isOnDemand && counted.length === 0) || areGood(counted, clock.now())
      const next = isStaged ? nextProgress(progress, isGood, clock.now()) : undefined
      if (next !== progress) record.write(next)
      progress = next
      const before = header
      header = hstsOf(rule, { progress, isGood, hasProxies })
      return header?.value !== before?.value || header?.from !== before?.from
    },
    header: () => header,
  }
}
