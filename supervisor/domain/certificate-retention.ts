import type { CertificateFiles, CertificateProblem } from './certificate.ts'

/**
 * Which of the certificates served so far stay, though they are not among the usable ones now: those whose files are
 * there and broken, such as half written. One whose files were removed goes.
 */
export function retained<T extends { files: CertificateFiles }>(
  served: readonly T[],
  usable: readonly { files: CertificateFiles }[],
  problems: readonly CertificateProblem[],
): T[] {
  const broken = new Set(problems.flatMap(({ files }) => [files.chain, files.key]))
  const replaced = new Set(usable.map(({ files }) => files.chain))
  return served.filter(({ files }) => !replaced.has(files.chain) && (broken.has(files.chain) || broken.has(files.key)))
}
