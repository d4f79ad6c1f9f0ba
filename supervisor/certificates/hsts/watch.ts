import type { Runtime } from '../../base/runtime.ts'
import type { Candidate } from '../choice.ts'
import { areGood, type Hsts, type HstsProgress, type HstsRule, hstsOf, nextProgress } from './stages.ts'

export interface HstsDeps extends Pick<Runtime, 'clock'> {
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
  /** Header to be sent, as of the last look. */
  header(): Hsts | undefined
  /** Header that a look at these certificates would give. It changes nothing. */
  headerFor(served: readonly Candidate[]): Hsts | undefined
}

/** Header that says how long browsers are to keep to HTTPS: the longer, the longer it went well. */
export function watchHsts({ rule, hasProxies, isOnDemand, record, clock }: HstsDeps): HstsWatch {
  const isStaged = rule.maxAgeMs === undefined
  let progress = isStaged ? record.read() : undefined
  let header: Hsts | undefined

  function assess(served: readonly Candidate[]): { progress: HstsProgress | undefined; header: Hsts | undefined } {
    // beside those on demand a local one is for clients that name no host
    const counted = isOnDemand ? served.filter(({ source }) => source !== 'local-ca') : served
    const isGood = (isOnDemand && counted.length === 0) || areGood(counted, clock.now())
    const next = isStaged ? nextProgress(progress, isGood, clock.now()) : undefined
    return { progress: next, header: hstsOf(rule, { progress: next, isGood, hasProxies }) }
  }

  return {
    look(served) {
      const next = assess(served)
      if (next.progress !== progress) record.write(next.progress)
      progress = next.progress
      const before = header
      header = next.header
      return header?.value !== before?.value || header?.from !== before?.from
    },
    header: () => header,
    headerFor: served => assess(served).header,
  }
}
