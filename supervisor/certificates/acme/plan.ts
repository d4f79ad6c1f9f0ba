import { backoffMs } from '../../base/backoff.ts'
import type { CertificateFacts } from '../certificate.ts'
import { covers } from '../choice.ts'

const ladder = { initialMs: 60_000, maxMs: 6 * 3_600_000 }
const dayMs = 86_400_000
/** No authority has longer limits. */
const longestWaitMs = 7 * dayMs

/** What is asked of a certificate authority (RFC 8555). */
export interface AcmePlan {
  /** The first domain; names the certificate. */
  name: string
  domains: readonly string[]
}

export type ChallengeType = 'http-01' | 'dns-01'

export interface AcmeSettings {
  /** URL of the directory. */
  directory: string
  /** Roots that the directory's own certificate is checked against; none: those of the system. */
  caFile: string | undefined
  email: string | undefined
  profile: string | undefined
  /** External account binding, as the authority gave it. */
  eab: { keyId: string; hmacKey: string } | undefined
  keyType: 'ecdsa' | 'rsa'
  challenge: ChallengeType
  /** Program that sets and removes DNS records. */
  dnsHook: readonly string[] | undefined
  plans: readonly AcmePlan[]
}

/** What is remembered of a certificate between restarts. */
export interface AcmeRecord {
  /** What is asked for; when that changes, what follows counts no more. */
  wish: string
  /** Id of the certificate that was issued for it; one of an earlier wish may still be kept. */
  issued: string | undefined
  failures: number
  /** No attempt before; milliseconds since the Unix epoch, as all times here. */
  retryAt: number
  lastError: string | undefined
  renewal: Renewal | undefined
  /** An order that may be under way still. */
  pendingOrder: string | undefined
}

/** When a certificate is to be renewed. */
export interface Renewal {
  /** Id of the certificate. */
  of: string
  at: number
  why: string
  window: RenewalWindow | undefined
  /** When the authority is to be asked for its window again. */
  askAgainAt: number
}

export interface RenewalWindow {
  start: number
  end: number
}

/** An error that the authority reports (RFC 7807), or that makes further steps pointless. */
export class AcmeError extends Error {
  /** Without the prefix: `rateLimited`, `badNonce`. */
  readonly type: string
  readonly retryAfterMs: number | undefined

  constructor(message: string, options: { type: string; retryAfterMs?: number | undefined }) {
    super(message)
    this.name = 'AcmeError'
    this.type = options.type
    this.retryAfterMs = options.retryAfterMs
  }
}

/** Everything that makes a kept certificate the one that is wanted. */
export function specOf({ domains }: AcmePlan, { directory, keyType, profile }: AcmeSettings): string {
  return JSON.stringify({ domains, directory, keyType, profile })
}

export function newRecord(wish: string): AcmeRecord {
  return {
    wish,
    issued: undefined,
    failures: 0,
    retryAt: 0,
    lastError: undefined,
    renewal: undefined,
    pendingOrder: undefined,
  }
}

/** The record that counts for a wish, if any. For a certificate whose record was lost there is a new one: it is not ordered again. */
export function recall(
  { domains }: AcmePlan,
  wish: string,
  { known, present }: { known: AcmeRecord | undefined; present: Pick<CertificateFacts, 'id' | 'names'> | undefined },
): AcmeRecord | undefined {
  if (known) return known.wish === wish ? known : undefined
  const isFor = present && domains.every(domain => covers(present, domain))
  return isFor ? { ...newRecord(wish), issued: present.id } : undefined
}

/** Whether a certificate that is kept is the one that was wished for. Records of earlier versions have the renewal alone. */
export function isIssuedFor(record: AcmeRecord, { id }: Pick<CertificateFacts, 'id'>): boolean {
  return (record.issued ?? record.renewal?.of) === id
}

/** A folder name for a certificate. */
export function folderOf(name: string): string {
  return name.toLowerCase().replace('*', '_')
}

/**
 * The wait after so many failures in a row: from a minute to six hours. What the authority asks for instead is believed, but
 * where it is less, and did not help before.
 */
export function retryDelayMs(failures: number, askedMs: number | undefined, random: number): number {
  const own = backoffMs(failures, ladder, random)
  if (askedMs === undefined) return own
  return Math.min(failures > 1 ? Math.max(askedMs, own) : askedMs, longestWaitMs)
}

/**
 * How long a renewed certificate is kept at least: for an authority that wants each one replaced at once, or a clock far ahead, none is
 * new enough.
 */
export function shortestKeepMs({ notBefore, notAfter }: Pick<CertificateFacts, 'notBefore' | 'notAfter'>): number {
  return Math.min(dayMs, (notAfter - notBefore) / 10)
}

export type AcmeStep = { kind: 'wait'; until: number; why: string } | { kind: 'ask' } | { kind: 'order'; why: string }

/** What to do now for a certificate. `certificate`: the one that is kept, when it is the one that is wanted. */
export function nextStep(
  record: AcmeRecord,
  certificate: Pick<CertificateFacts, 'id'> | undefined,
  now: number,
): AcmeStep {
  const { renewal, retryAt } = record
  // what is further away than it may be was noted while the clock was wrong
  const isIn = (time: number, longestMs: number) => time > now && time - now <= longestMs
  if (certificate) {
    if (renewal?.of !== certificate.id || !isIn(renewal.askAgainAt, dayMs)) return { kind: 'ask' }
    if (renewal.at > now) return { kind: 'wait', until: Math.min(renewal.at, renewal.askAgainAt), why: renewal.why }
  }
  const why = certificate && renewal ? renewal.why : 'there is none'
  return isIn(retryAt, longestWaitMs)
    ? { kind: 'wait', until: retryAt, why: record.failures > 0 ? 'the last attempt failed' : 'it was just renewed' }
    : { kind: 'order', why }
}
