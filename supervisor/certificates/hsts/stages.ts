import type { Candidate } from '../choice.ts'

/** Settings of `tls.hsts`. */
export interface HstsRule {
  /** Undefined: in stages. */
  maxAgeMs: number | undefined
  includeSubdomains: boolean
  preload: boolean
}

/** Stage that HSTS has reached. */
export interface HstsProgress {
  /** Index, from 0. */
  stage: number
  /** Start of the stage; milliseconds since the Unix epoch. */
  since: number
}

/** Header to send. */
export interface Hsts {
  value: string
  /** Responses that get the header: all over HTTPS, or only those to proxies that terminate TLS. */
  from: 'everywhere' | 'proxies'
}

/** 5 minutes, a week, 30 days and two years, as recommended by hstspreload.org. */
const stageSeconds = [300, 604_800, 2_592_000, 63_072_000]

/** Whether HSTS may be sent with these certificates: none is expired, self-signed or from the local CA. */
export function areTrusted(served: readonly Candidate[], now: number): boolean {
  const isTrusted = ({ source, certificate }: Candidate) =>
    source !== 'local-ca' && certificate.issuer !== certificate.subject && certificate.notAfter > now
  return served.length > 0 && served.every(isTrusted)
}

/** Progress after a check: at most one stage further, once the current stage has lasted for its own time. Undefined while the certificates are not trusted. */
export function nextProgress(
  progress: HstsProgress | undefined,
  isTrusted: boolean,
  now: number,
): HstsProgress | undefined {
  if (!isTrusted) return undefined
  // if the clock was set back, the stage begins again
  if (!progress || progress.since > now) return { stage: progress?.stage ?? 0, since: now }
  const { stage, since } = progress
  const isOver = now - since >= (stageSeconds[stage] ?? 0) * 1000
  return isOver && stage < stageSeconds.length - 1 ? { stage: stage + 1, since: now } : progress
}

/** Progress that is further: the later stage, and of one stage the earlier start. */
export function furtherOf(one: HstsProgress | undefined, other: HstsProgress | undefined): HstsProgress | undefined {
  if (!one || !other) return one ?? other
  if (one.stage !== other.stage) return one.stage > other.stage ? one : other
  return other.since < one.since ? other : one
}

/** Parses stored progress; undefined if it is damaged. */
export function readProgress(text: string): HstsProgress | undefined {
  try {
    const { stage, since } = JSON.parse(text) as HstsProgress
    return stageSeconds[stage] !== undefined && Number.isFinite(since) ? { stage, since } : undefined
  } catch {
    return undefined // damaged: begins again
  }
}

/** Header to send; undefined: none. The certificates of proxies in front are unknown, so these get it only with a fixed `maxAgeMs`. */
export function hstsOf(
  rule: HstsRule,
  { progress, isTrusted, hasProxies }: { progress: HstsProgress | undefined; isTrusted: boolean; hasProxies: boolean },
): Hsts | undefined {
  const seconds = rule.maxAgeMs === undefined ? stageSeconds[progress?.stage ?? -1] : Math.floor(rule.maxAgeMs / 1000)
  if (seconds === undefined) return undefined
  const isForProxies = !isTrusted && hasProxies && rule.maxAgeMs !== undefined
  if (!isTrusted && !isForProxies) return undefined
  const directives = [`max-age=${seconds}`, rule.includeSubdomains && 'includeSubDomains', rule.preload && 'preload']
  return { value: directives.filter(Boolean).join('; '), from: isTrusted ? 'everywhere' : 'proxies' }
}
