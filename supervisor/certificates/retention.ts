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
  const broken = problems.flatMap(({ files }) => [files.chain, files.key]).filter(path => path !== '')
  const replaced = new Set(usable.map(({ files }) => files.chain))
  // a folder that cannot be read is broken with all that is in it
  const isBroken = (path: string) => broken.some(known => path === known || path.startsWith(`${known}/`))
  return served.filter(({ files }) => !replaced.has(files.chain) && (isBroken(files.chain) || isBroken(files.key)))
}
