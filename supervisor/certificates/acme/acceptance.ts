import type { UsableCertificate } from '../certificate.ts'
import { covers } from '../choice.ts'
import type { AcmePlan } from './plan.ts'

/** Time by which a certificate may be issued for the future: authorities' clocks differ. */
const futureMs = 3_600_000

/** Facts that decide whether an issued certificate may replace the present one. */
export interface AcceptanceFacts {
  plan: AcmePlan
  issued: Pick<UsableCertificate, 'certificate' | 'pem'>
  present: Pick<UsableCertificate, 'certificate' | 'pem'> | undefined
  /** Current time of the authority, or of this machine if the authority reports none. */
  now: number
}

/** Reason why clients would reject an issued certificate, so that it must not replace anything; undefined if there is none. */
export function findDefect({ plan, issued, present, now }: AcceptanceFacts): string | undefined {
  const { certificate } = issued
  if (!certificate.keyMatches) return 'the CA issued a certificate for another key'
  const missing = plan.domains.find(domain => !covers(certificate, domain))
  if (missing !== undefined) {
    const names = certificate.names.join(', ') || 'no name'
    return `the CA issued a certificate for ${names}, not for ${missing}`
  }
  const { notBefore, notAfter } = certificate
  if (notAfter <= now) return `the CA issued a certificate that expired on ${iso(notAfter)}`
  if (notBefore > now + futureMs) return `the CA issued a certificate that is not valid before ${iso(notBefore)}`
  const isShortened = countIn(issued) === 1 && present && countIn(present) > 1
  if (isShortened && present.certificate.issuer === certificate.issuer)
    return `the CA sent no certificate of its own (${certificate.issuer}), which clients need`
  return undefined
}

function countIn({ pem }: Pick<UsableCertificate, 'pem'>): number {
  return pem.chain.split('-----BEGIN CERTIFICATE-----').length - 1
}

function iso(time: number): string {
  return new Date(time).toISOString()
}
