import type { CertificateFacts, UsableCertificate } from './certificate.ts'
import type { CertificateSource } from './choice.ts'

/** Remaining parts of a certificate's lifetime at which to warn. */
const warningParts = [1 / 3, 1 / 10, 1 / 20]

/** Number of warnings that are due: 0 at first, one more at each warning, and a last one on expiry. */
export function expiryStage(
  { notBefore, notAfter }: Pick<CertificateFacts, 'notBefore' | 'notAfter'>,
  now: number,
): number {
  const left = (notAfter - now) / (notAfter - notBefore)
  const passed = warningParts.filter(part => left <= part).length
  return now >= notAfter ? warningParts.length + 1 : passed
}

/** Remaining time as text: `29 days`, `7 hours`, `12 minutes`. */
export function describeTimeLeft(leftMs: number): string {
  if (leftMs <= 0) return 'nothing'
  for (const [unit, size] of [
    ['day', 86_400_000],
    ['hour', 3_600_000],
    ['minute', 60_000],
  ] as const) {
    const count = Math.floor(leftMs / size)
    if (count >= 2 || (count === 1 && unit === 'minute')) return `${count} ${unit}${count === 1 ? '' : 's'}`
  }
  return 'less than a minute'
}

/** Warnings about certificates that expire soon, with the time left. The local CA renews its own. */
export function describeExpiries(
  kept: readonly (Pick<UsableCertificate, 'files' | 'certificate'> & { source: CertificateSource })[],
  now: number,
): string[] {
  return kept
    .filter(({ source, certificate }) => source !== 'local-ca' && expiryStage(certificate, now) > 0)
    .map(({ files, certificate: { names, notAfter } }) => {
      const when = notAfter <= now ? 'has expired' : `expires in ${describeTimeLeft(notAfter - now)}`
      return `the certificate for ${names.join(', ')} ${when}: ${files.chain}`
    })
}
