import type { UsableCertificate } from '../certificate.ts'
import type { AcmeRecord, ChallengeType } from './plan.ts'
import type { RenewalInfo } from './renewal.ts'

/** What the ACME services need from the world; the adapters provide it. */

export interface AcmeOrder {
  url: string
  status: 'pending' | 'ready' | 'processing' | 'valid' | 'invalid'
  authorizations: string[]
  finalize: string
  certificate: string | undefined
  problem: string | undefined
  retryAfterMs: number | undefined
}

export interface AcmeChallenge {
  type: string
  url: string
  token: string
  problem: string | undefined
}

export interface AcmeAuthorization {
  status: 'pending' | 'valid' | 'invalid' | 'deactivated' | 'expired' | 'revoked'
  domain: string
  challenges: AcmeChallenge[]
  retryAfterMs: number | undefined
}

/** A certificate authority. Every call may throw an AcmeError, or an error of the network. */
export interface AcmeClient {
  newOrder(
    domains: readonly string[],
    options: { profile: string | undefined; replaces: string | undefined },
  ): Promise<AcmeOrder>
  order(url: string): Promise<AcmeOrder>
  authorization(url: string): Promise<AcmeAuthorization>
  /** What proves that the domain is ours, for a token. */
  keyAuthorization(token: string): Promise<string>
  respond(challengeUrl: string): Promise<void>
  /** `csr`: DER. */
  finalize(order: AcmeOrder, csr: Uint8Array): Promise<AcmeOrder>
  /** The chain as PEM. */
  certificate(url: string): Promise<string>
  /** Undefined when the authority offers none. */
  renewalInfo(certificateId: string): Promise<RenewalInfo | undefined>
}

/** Puts what the authority looks for where it looks for it. */
export interface ChallengeSolver {
  readonly type: ChallengeType
  present(domain: string, token: string, keyAuthorization: string): Promise<void>
  remove(domain: string, token: string, keyAuthorization: string): Promise<void>
}

export interface KeyMaker {
  /** A new private key, as PEM. */
  createKey(type: 'ecdsa' | 'rsa'): Promise<string>
  /** A request for a certificate (PKCS #10), as DER. */
  createRequest(keyPem: string, domains: readonly string[]): Uint8Array
  /** What RFC 9773 calls a certificate; undefined when it lacks the issuer's key identifier. */
  certificateId(chainPem: string): string | undefined
}

/** What is kept in the state folder. */
export interface AcmeStore {
  record(name: string): AcmeRecord | undefined
  saveRecord(name: string, record: AcmeRecord): void
  /** The certificate with this id, else the latest that is kept, expired or not. */
  current(name: string, id?: string): UsableCertificate | undefined
  /** Keeps a certificate with its key; an error when they do not belong together. */
  save(name: string, pem: { chain: string; key: string }): UsableCertificate
  /** Removes all that is kept of a name. */
  remove(name: string): void
  /** The key of an order that is under way. */
  pendingKey(name: string): string | undefined
  savePendingKey(name: string, keyPem: string | undefined): void
}

/** Looks for what would make an order fail. Undefined: nothing found. */
export interface Preflight {
  /** Why nothing could be kept. */
  storage(): string | undefined
  /** Why a name leads nowhere. */
  dns(domain: string): Promise<string | undefined>
  /** What answers on port 80 of a domain in place of a challenge: `wrong` is certain, `unknown` is not. */
  challenge(domain: string): Promise<{ kind: 'right' | 'wrong' | 'unknown'; detail: string }>
}

/** Whoever knows which names are ours. */
export interface Gatekeeper {
  /** Rejects when it cannot be asked. */
  isAllowed(name: string): Promise<boolean>
}
