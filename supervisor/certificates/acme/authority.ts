import type { UsableCertificate } from '../certificate.ts'
import type { AcmePlan, AcmeRecord, ChallengeType } from './plan.ts'
import type { RenewalInfo } from './renewal.ts'

/** Interfaces that the ACME services need; the adapters implement them. */

/** Order for a certificate (RFC 8555, 7.1.3). */
export interface AcmeOrder {
  url: string
  status: 'pending' | 'ready' | 'processing' | 'valid' | 'invalid'
  authorizations: string[]
  finalize: string
  certificate: string | undefined
  problem: string | undefined
  retryAfterMs: number | undefined
}

/** Challenge of an authorization (RFC 8555, 7.1.5). */
export interface AcmeChallenge {
  type: string
  status: 'pending' | 'processing' | 'valid' | 'invalid'
  url: string
  token: string
  problem: string | undefined
}

/** Authorization for one domain (RFC 8555, 7.1.4). */
export interface AcmeAuthorization {
  status: 'pending' | 'valid' | 'invalid' | 'deactivated' | 'expired' | 'revoked'
  domain: string
  challenges: AcmeChallenge[]
  retryAfterMs: number | undefined
}

/** Client of a certificate authority. Every call may reject with an AcmeError or a network error. */
export interface AcmeClient {
  newOrder(
    domains: readonly string[],
    options: { profile: string | undefined; replaces: string | undefined },
  ): Promise<AcmeOrder>
  order(url: string): Promise<AcmeOrder>
  authorization(url: string): Promise<AcmeAuthorization>
  /** Key authorization for a token (RFC 8555, 8.1). */
  keyAuthorization(token: string): Promise<string>
  /** Asks the authority to validate a challenge. */
  respond(challengeUrl: string): Promise<void>
  /** Submits the certificate request. `csr`: DER. */
  finalize(order: AcmeOrder, csr: Uint8Array): Promise<AcmeOrder>
  /** Certificate chain as PEM. */
  certificate(url: string): Promise<string>
  /** Suggested renewal window; undefined if the authority offers none. */
  renewalInfo(certificateId: string): Promise<RenewalInfo | undefined>
  /** Current time of the authority, by its latest response; undefined if it reports none. */
  time(): number | undefined
}

/** Publishes the response to a challenge where the authority looks for it. */
export interface ChallengeSolver {
  readonly type: ChallengeType
  present(domain: string, token: string, keyAuthorization: string): Promise<void>
  remove(domain: string, token: string, keyAuthorization: string): Promise<void>
}

/** Creates keys, and what is derived from them. */
export interface KeyMaker {
  /** Creates a private key, as PEM. */
  createKey(type: 'ecdsa' | 'rsa'): Promise<string>
  /** Creates a certificate request (CSR, PKCS #10), as DER. */
  createRequest(keyPem: string, domains: readonly string[]): Uint8Array
  /** Unique identifier of a certificate (RFC 9773, 4.1); undefined if it lacks the issuer's key identifier. */
  certificateId(chainPem: string): string | undefined
}

/** Certificates and records in `state_dir`. */
export interface AcmeStore {
  record(name: string): AcmeRecord | undefined
  saveRecord(name: string, record: AcmeRecord): void
  /** Number that changes whenever the record is saved; 0 without one. */
  version(name: string): number
  /** Stored certificate with this id, or else the latest one, expired or not. */
  current(name: string, id?: string): UsableCertificate | undefined
  /** Stores a certificate with its key. Throws an AcmeError, and stores nothing, if it is unusable or `findDefect` reports a defect. */
  save(
    name: string,
    pem: { chain: string; key: string },
    findDefect: (issued: UsableCertificate) => string | undefined,
  ): UsableCertificate
  /** Removes everything stored for a name. */
  remove(name: string): void
  /** Key of an order in progress. */
  pendingKey(name: string): string | undefined
  savePendingKey(name: string, keyPem: string | undefined): void
}

/** Checks that predict whether an order would fail. Undefined: no obstacle found. */
export interface Preflight {
  /** Reason why the certificate could not be stored. */
  storage(): string | undefined
  /** Reason why a name does not resolve. */
  dns(domain: string): Promise<string | undefined>
  /** Result of requesting a challenge of our own on port 80 of a domain: `wrong` if another server responds, `unknown` if this machine cannot tell. */
  challenge(domain: string): Promise<{ kind: 'right' | 'wrong' | 'unknown'; detail: string }>
}

/** Decides which names may have a certificate. */
export interface Gatekeeper {
  /** Rejects if there is no decision. */
  isAllowed(name: string): Promise<boolean>
}

/** Right to order a certificate, until it is released. */
export interface Claim {
  /** Aborted when the right is lost, so that another instance may order; undefined if that cannot happen. */
  readonly signal?: AbortSignal | undefined
  /**
   * Gives the other instances what the store has for the certificate. Rejects with an UnsharedError if that is impossible: then nothing more may be
   * done. Undefined if they read the same store.
   */
  share?(): Promise<void>
  release(): void | Promise<void>
}

/** Other instances that may order the same certificates. */
export interface Peers {
  /** Whether there may be any, so that the store is read again before an order. */
  exist(): boolean
  /** Claims a certificate, after which the store has what others left; undefined if another instance has claimed it. Rejects if nobody can claim it now. */
  claim(plan: AcmePlan): Claim | undefined | Promise<Claim | undefined>
}

/** Place where instances share the responses to challenges. */
export interface SharedResponses {
  /** Rejects if another instance could not give the response. */
  share(token: string, keyAuthorization: string): void | Promise<void>
  unshare(token: string): void
}

/** Other instances with the same state directory on one file system, and what is shared with them. */
export interface Neighbours extends Peers, SharedResponses {
  /** Gives a sign of life, and looks for those of others. Needed every ten seconds. */
  beat(): void
  /** Whether another instance is alive, as of the last `beat`. */
  exist(): boolean
  claim(plan: Pick<AcmePlan, 'name'>): Claim | undefined
  /** Responses to challenges of other instances, by token. */
  shared(): Map<string, string>
  close(): void
}
