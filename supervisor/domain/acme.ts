import type { CertificateFacts } from './certificate.ts'

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
  /** What it was asked for; when that changes, what follows counts no more. */
  wish: string
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
export function wishOf({ domains }: AcmePlan, { directory, keyType, profile }: AcmeSettings): string {
  return JSON.stringify({ domains, directory, keyType, profile })
}

export function newRecord(wish: string): AcmeRecord {
  return { wish, failures: 0, retryAt: 0, lastError: undefined, renewal: undefined, pendingOrder: undefined }
}

/** A folder name for a certificate. */
export function folderOf(name: string): string {
  return name.toLowerCase().replace('*', '_')
}

export type AcmeStep = { kind: 'wait'; until: number; why: string } | { kind: 'ask' } | { kind: 'order'; why: string }

/** What to do now for a certificate. `certificate`: the one that is kept, when it is the one that is wanted. */
export function nextStep(
  record: AcmeRecord,
  certificate: Pick<CertificateFacts, 'id'> | undefined,
  now: number,
): AcmeStep {
  const { renewal, retryAt } = record
  if (certificate) {
    if (renewal?.of !== certificate.id || renewal.askAgainAt <= now) return { kind: 'ask' }
    if (renewal.at > now) return { kind: 'wait', until: Math.min(renewal.at, renewal.askAgainAt), why: renewal.why }
  }
  const why = certificate && renewal ? renewal.why : 'there is none'
  return retryAt > now ? { kind: 'wait', until: retryAt, why: 'the last attempt failed' } : { kind: 'order', why }
}
