import type { CertificateFiles, CertificateProblem } from './certificate.ts'

/**
 * Served certificates to keep although they are not usable now: those whose files exist but are broken, such as half
 * written. A certificate whose files were removed is not kept.
 */
export function retained<T extends { files: CertificateFiles }>(
  served: readonly T[],
  usable: readonly { files: CertificateFiles }[],
  problems: readonly CertificateProblem[],
): T[] {
  const broken = problems.flatMap(({ files }) => [files.chain, files.key]).filter(path => path !== '')
  const replaced = new Set(usable.map(({ files }) => files.chain))
  // an unreadable directory breaks everything in it
  const isBroken = (path: string) => broken.some(known => path === known || path.startsWith(`${known}/`))
  return served.filter(({ files }) => !replaced.has(files.chain) && (isBroken(files.chain) || isBroken(files.key)))
}
