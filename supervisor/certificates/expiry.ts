import type { CertificateFacts } from './certificate.ts'

/** Parts of a certificate's lifetime that are left when its end is worth a warning. */
const warningParts = [1 / 3, 1 / 10, 1 / 20]

/** How near the end is: 0 far away, then one more for each warning, the last when it is over. */
export function expiryStage(
  { notBefore, notAfter }: Pick<CertificateFacts, 'notBefore' | 'notAfter'>,
  now: number,
): number {
  const left = (notAfter - now) / (notAfter - notBefore)
  const passed = warningParts.filter(part => left <= part).length
  return now >= notAfter ? warningParts.length + 1 : passed
}

/** A time that is left, for people: `29 days`, `7 hours`, `12 minutes`. */
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
