import type { Candidate } from '../choice.ts'

/** What is asked for. */
export interface HstsRule {
  /** Undefined: in stages. */
  maxAgeMs: number | undefined
  includeSubdomains: boolean
  preload: boolean
}

/** How far it has come. */
export interface HstsProgress {
  /** Counts from 0. */
  stage: number
  /** Milliseconds since the Unix epoch. */
  since: number
}

/** What browsers are told. `from`: who ends TLS, and has the certificate that counts. */
export interface Hsts {
  value: string
  from: 'everywhere' | 'proxies'
}

/** 5 minutes, a week, 30 days, two years: as hstspreload.org would have it. */
const stageSeconds = [300, 604_800, 2_592_000, 63_072_000]

/** Whether browsers may be bound to these certificates. */
export function areGood(served: readonly Candidate[], now: number): boolean {
  const isGood = ({ source, certificate }: Candidate) =>
    source !== 'local-ca' && certificate.issuer !== certificate.subject && certificate.notAfter > now
  return served.length > 0 && served.every(isGood)
}

/** One stage further at most, when the certificates were good for as long as the present one tells; none while they are not. */
export function nextProgress(
  progress: HstsProgress | undefined,
  isGood: boolean,
  now: number,
): HstsProgress | undefined {
  if (!isGood) return undefined
  // a clock that was set back begins the stage anew
  if (!progress || progress.since > now) return { stage: progress?.stage ?? 0, since: now }
  const { stage, since } = progress
  const isOver = now - since >= (stageSeconds[stage] ?? 0) * 1000
  return isOver && stage < stageSeconds.length - 1 ? { stage: stage + 1, since: now } : progress
}

/** Reads what was kept; undefined when it makes no sense. */
export function readProgress(text: string): HstsProgress | undefined {
  try {
    const { stage, since } = JSON.parse(text) as HstsProgress
    return stageSeconds[stage] !== undefined && Number.isFinite(since) ? { stage, since } : undefined
  } catch {
    return undefined // damaged: it begins anew
  }
}

/** What is to be sent; undefined: nothing. Proxies in front have certificates of their own, of which nothing is known. */
export function hstsOf(
  rule: HstsRule,
  { progress, isGood, hasProxies }: { progress: HstsProgress | undefined; isGood: boolean; hasProxies: boolean },
): Hsts | undefined {
  const seconds = rule.maxAgeMs === undefined ? stageSeconds[progress?.stage ?? -1] : Math.floor(rule.maxAgeMs / 1000)
  if (seconds === undefined) return undefined
  const isElsewhere = !isGood && hasProxies && rule.maxAgeMs !== undefined
  if (!isGood && !isElsewhere) return undefined
  const words = [`max-age=${seconds}`, rule.includeSubdomains && 'includeSubDomains', rule.preload && 'preload']
  return { value: words.filter(Boolean).join('; '), from: isGood ? 'everywhere' : 'proxies' }
}
