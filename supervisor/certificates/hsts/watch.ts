import type { Runtime } from '../../base/runtime.ts'
import type { Candidate } from '../choice.ts'
import type { SharedProgress } from './shared.ts'
import { areTrusted, furtherOf, type Hsts, type HstsProgress, type HstsRule, hstsOf, nextProgress } from './stages.ts'

/** Dependencies of the HSTS watch. */
export interface HstsDeps extends Pick<Runtime, 'clock'> {
  rule: HstsRule
  hasProxies: boolean
  /** Whether unknown names get a certificate from a CA at their first handshake, or else no handshake (tls.on_demand). */
  isOnDemand: boolean
  /** Storage for the progress, which survives a restart. */
  record: { read(): HstsProgress | undefined; write(progress: HstsProgress | undefined): void }
  /** Progress of the other instances; undefined without shared_state. */
  shared?: SharedProgress | undefined
}

/** HSTS header, which depends on the certificates and the time. */
export interface HstsWatch {
  /** Checks the certificates and the time; returns whether the header has changed. */
  check(served: readonly Candidate[]): boolean
  /** Header to send, as of the last check. */
  header(): Hsts | undefined
  /** Header for these certificates, without changing anything. */
  headerFor(served: readonly Candidate[]): Hsts | undefined
}

/** Creates the watch. In stages, the time in the header grows while the certificates stay valid. */
export function watchHsts({ rule, hasProxies, isOnDemand, record, clock, shared }: HstsDeps): HstsWatch {
  const isStaged = rule.maxAgeMs === undefined
  let progress = isStaged ? record.read() : undefined
  let header: Hsts | undefined

  function assess(served: readonly Candidate[]): { progress: HstsProgress | undefined; header: Hsts | undefined } {
    // with on-demand certificates, the local one is only for clients that request no name
    const counted = isOnDemand ? served.filter(({ source }) => source !== 'local-ca') : served
    const isTrusted = (isOnDemand && counted.length === 0) || areTrusted(counted, clock.now())
    const next = isStaged ? reach(isTrusted) : undefined
    return { progress: next, header: hstsOf(rule, { progress: next, isTrusted, hasProxies }) }
  }

  function reach(isTrusted: boolean): HstsProgress | undefined {
    if (!shared || !isTrusted) return nextProgress(progress, isTrusted, clock.now())
    // the others may be further: no header is better than a shorter time than theirs
    const agreed = furtherOf(progress, shared.known()?.progress)
    return shared.isReachable() ? nextProgress(agreed, isTrusted, shared.now()) : agreed
  }

  return {
    check(served) {
      const next = assess(served)
      if (isStaged) shared?.offer(next.progress)
      if (JSON.stringify(next.progress) !== JSON.stringify(progress)) record.write(next.progress)
      progress = next.progress
      const before = header
      header = next.header
      return header?.value !== before?.value || header?.from !== before?.from
    },
    header: () => header,
    headerFor: served => assess(served).header,
  }
}
