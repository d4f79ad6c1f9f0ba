import { backoffMs } from '../../base/backoff.ts'
import type { CertificateFacts } from '../certificate.ts'
import { covers } from '../choice.ts'

const backoff = { initialMs: 60_000, maxMs: 6 * 3_600_000 }
const dayMs = 86_400_000
/** Longest wait for a retry; no authority has longer rate limits. */
const maxWaitMs = 7 * dayMs
/** Time for which an order is resumed that only takes long. Some authorities have a person approve it. */
const maxOrderMs = dayMs
/** Longest time between a renewal and the next one. */
const maxKeepMs = dayMs

/** Certificate to obtain from an authority. */
export interface AcmePlan {
  /** First domain, which identifies the certificate. */
  name: string
  domains: readonly string[]
}

/** Challenge types that are supported (RFC 8555, 8). */
export type ChallengeType = 'http-01' | 'tls-alpn-01' | 'dns-01'

/** Certificate authority, and the account there. */
export interface AuthoritySettings {
  /** URL of the ACME directory. */
  directory: string
  /** PEM file of roots for HTTPS requests to the directory; undefined: Node's built-in roots. */
  caFile: string | undefined
  email: string | undefined
  profile: string | undefined
  /** External account binding from the authority. */
  eab: { keyId: string; hmacKey: string } | undefined
}

/** Settings of `tls.acme`, with defaults applied. */
export interface AcmeSettings extends AuthoritySettings {
  /** Common name of the CA at which the chain should end. */
  preferredChain: string | undefined
  /** Authority to use while the first one fails. */
  fallback?: AuthoritySettings | undefined
  keyType: 'ecdsa' | 'rsa'
  challenge: ChallengeType
  /** Program that sets and removes DNS records. */
  dnsHook: readonly string[] | undefined
  plans: readonly AcmePlan[]
}

/** State of a certificate that survives restarts. Times are in milliseconds since the Unix epoch. */
export interface AcmeRecord {
  /** Settings that the record applies to, from `specOf`. With other settings the record is ignored. */
  spec: string
  /** Id of the certificate issued for these settings; the store may still have one of earlier settings. */
  issued: string | undefined
  failures: number
  /** Time before which there is no attempt. */
  retryAt: number
  lastError: string | undefined
  renewal: Renewal | undefined
  /** URL of an order that may still be in progress. */
  pendingOrder: string | undefined
  /** Time at which it was placed; undefined in records of earlier versions. */
  orderedAt?: number | undefined
  /** Challenge that was published and may not have been removed. */
  published: PublishedChallenge | undefined
  /** Cause of the last failure: this machine, the authority, or one of its limits. */
  failedBy: 'machine' | 'authority' | 'limit' | undefined
  /** Means of validation of the last failed attempt, from `meansOf`. */
  means: string | undefined
  /** Whether a forced renewal failed, so that the certificate is renewed before it is due. */
  isForced?: boolean | undefined
  /** Failures of the CA itself since the last certificate; undefined in records of earlier versions, as the fields around it. */
  caFailures?: number | undefined
  /** Whether the next attempt, and the order in progress, are at the fallback CA. */
  usesFallback?: boolean | undefined
  /** Whether the fallback CA issued the certificate. */
  isFromFallback?: boolean | undefined
}

/** Response to a challenge, where the authority looks for it. */
export interface PublishedChallenge {
  type: ChallengeType
  domain: string
  token: string
  keyAuthorization: string
}

/** Planned renewal of a certificate. */
export interface Renewal {
  /** Id of the certificate. */
  of: string
  at: number
  why: string
  window: RenewalWindow | undefined
  /** Time to ask the authority for its window again. */
  askAgainAt: number
}

/** Renewal window in milliseconds since the Unix epoch. */
export interface RenewalWindow {
  start: number
  end: number
}

/** Problem that the authority reports (RFC 7807), or that prevents further steps. */
export class AcmeError extends Error {
  /** Type without its URN prefix: `rateLimited`, `badNonce`. */
  readonly type: string
  readonly retryAfterMs: number | undefined

  constructor(message: string, options: { type: string; retryAfterMs?: number | undefined }) {
    super(message)
    this.name = 'AcmeError'
    this.type = options.type
    this.retryAfterMs = options.retryAfterMs
  }

  /** Whether the same request may succeed later: the authority is overloaded, limits the rate, or is being repaired. */
  get isTemporary(): boolean {
    return /^(rateLimited|serverInternal|badNonce|noNonce|noJson|noDirectory|http(429|5\d\d))$/.test(this.type)
  }
}

/** What an order needs cannot be shared with other instances, so it must not go on here. It is no failure of the certificate. */
export class UnsharedError extends Error {}

/** No response from an authority. */
export class UnreachableError extends Error {}

/** Settings that decide whether a stored certificate is the one to serve, as text to compare. */
export function specOf({ domains }: AcmePlan, { directory, keyType, profile }: AcmeSettings): string {
  return JSON.stringify({ domains, directory, keyType, profile })
}

/** Settings that decide how names are validated, as text to compare. A change may resolve the cause of a failure. */
export function meansOf({ challenge, dnsHook, email, caFile, eab, fallback }: AcmeSettings): string {
  const other = fallback && [fallback.directory, fallback.caFile, fallback.eab?.keyId]
  return JSON.stringify([challenge, dnsHook, email, caFile, eab?.keyId, ...(other ? [other] : [])])
}

/** Whether an order that could not be finished in two attempts is given up, so that the next attempt places another one. */
export function isHopeless(error: unknown, { orderedAt }: Pick<AcmeRecord, 'orderedAt'>, now: number): boolean {
  if (!(error instanceof AcmeError) || error.isTemporary) return false
  return error.type !== 'timeout' || (orderedAt !== undefined && now - orderedAt > maxOrderMs)
}

/** Cause of a failure. */
export function causeOf(error: unknown): NonNullable<AcmeRecord['failedBy']> {
  if (!(error instanceof AcmeError)) return 'machine'
  return error.type === 'rateLimited' || error.retryAfterMs !== undefined ? 'limit' : 'authority'
}

/** Whether the settings changed after a failure in a way that may resolve its cause. No setting lifts a limit of the authority. */
export function isCorrected({ failures, failedBy, means }: AcmeRecord, now: string): boolean {
  return failures > 0 && failedBy !== undefined && failedBy !== 'limit' && means !== now
}

/** Record without any history. */
export function newRecord(spec: string): AcmeRecord {
  return {
    spec,
    issued: undefined,
    failures: 0,
    retryAt: 0,
    lastError: undefined,
    renewal: undefined,
    pendingOrder: undefined,
    published: undefined,
    failedBy: undefined,
    means: undefined,
    isForced: false,
    caFailures: 0,
    usesFallback: false,
    isFromFallback: false,
  }
}

/** Record for a spec; undefined if there is none. A certificate whose record was lost gets a new record, so that it is not ordered again. */
export function recall(
  { domains }: AcmePlan,
  spec: string,
  { known, present }: { known: AcmeRecord | undefined; present: Pick<CertificateFacts, 'id' | 'names'> | undefined },
): AcmeRecord | undefined {
  if (known) return known.spec === spec ? known : undefined
  const isFor = present && domains.every(domain => covers(present, domain))
  return isFor ? { ...newRecord(spec), issued: present.id } : undefined
}

/** Whether a stored certificate was issued for the record's spec. Records of earlier versions have `renewal` only. */
export function isIssuedFor(record: AcmeRecord, { id }: Pick<CertificateFacts, 'id'>): boolean {
  return (record.issued ?? record.renewal?.of) === id
}

/** Directory name for a certificate. */
export function directoryNameOf(name: string): string {
  return name.toLowerCase().replace('*', '_')
}

/**
 * Delay after a number of consecutive failures, in ms: from one minute to six hours. A delay that the authority asks for takes
 * precedence, unless it is shorter and there was more than one failure.
 */
export function retryDelayMs(failures: number, askedMs: number | undefined, random: number): number {
  const own = backoffMs(failures, backoff, random)
  if (askedMs === undefined) return own
  return Math.min(failures > 1 ? Math.max(askedMs, own) : askedMs, maxWaitMs)
}

/**
 * Minimum time between a renewal and the next one, in ms. It prevents endless renewals if the authority wants every certificate
 * replaced at once, or the clock is far ahead.
 */
export function minKeepMs({ notBefore, notAfter }: Pick<CertificateFacts, 'notBefore' | 'notAfter'>): number {
  return Math.min(maxKeepMs, (notAfter - notBefore) / 10)
}

/** Next step for a certificate: wait, ask the authority for its renewal window, or order. */
export type AcmeStep = { kind: 'wait'; until: number; why: string } | { kind: 'ask' } | { kind: 'order'; why: string }

/** Next step for a certificate. `certificate`: the stored one, if it was ordered with the current settings. */
export function nextStep(
  record: AcmeRecord,
  certificate: Pick<CertificateFacts, 'id'> | undefined,
  now: number,
): AcmeStep {
  const { renewal, isForced } = record
  const retryAt = retryTime(record, now)
  if (certificate) {
    if (renewal?.of !== certificate.id || !isSoon(renewal.askAgainAt, { now, withinMs: dayMs })) return { kind: 'ask' }
    if (renewal.at > now && !isForced)
      return { kind: 'wait', until: Math.min(renewal.at, renewal.askAgainAt), why: renewal.why }
  }
  const why = certificate && renewal ? renewal.why : 'there is no certificate yet'
  return retryAt > now
    ? { kind: 'wait', until: retryAt, why: record.failures > 0 ? 'the last attempt failed' : 'it was just renewed' }
    : { kind: 'order', why }
}

/** Time before which there is no attempt; 0 if there is none. */
export function retryTime({ retryAt, failures }: Pick<AcmeRecord, 'retryAt' | 'failures'>, now: number): number {
  return isSoon(retryAt, { now, withinMs: failures > 0 ? maxWaitMs : maxKeepMs }) ? retryAt : 0
}

/** Whether a recorded time is ahead, and not so far that it was recorded while the clock was wrong. */
function isSoon(time: number, { now, withinMs }: { now: number; withinMs: number }): boolean {
  return time > now && time - now <= withinMs
}
