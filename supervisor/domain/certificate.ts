/** A certificate file and its key, as found in a folder. */
export interface CertificateFiles {
  chain: string
  key: string
}

/** What reading a pair gave. */
export type CertificateReading =
  | { ok: true; files: CertificateFiles; certificate: CertificateFacts }
  | { ok: false; files: CertificateFiles; problem: string; fix: string }

export interface CertificateFacts {
  subject: string
  issuer: string
  names: string[]
  serial: string
  /** Milliseconds since the Unix epoch. */
  notBefore: number
  notAfter: number
  keyMatches: boolean
}

export interface CertificateProblem {
  files: CertificateFiles
  problem: string
  fix: string
}

export interface CertificateChoice {
  chosen: { files: CertificateFiles; certificate: CertificateFacts } | undefined
  problems: CertificateProblem[]
}

const wellKnownPairs: CertificateFiles[] = [
  { chain: 'fullchain.pem', key: 'privkey.pem' },
  { chain: 'tls.crt', key: 'tls.key' },
  { chain: 'cert.pem', key: 'key.pem' },
]

/** Pairs in the names of a folder, best first: certbot's, Kubernetes', OpenSSL's usual names, then any NAME.pem or NAME.crt with NAME.key. */
export function findPairs(names: readonly string[]): { pairs: CertificateFiles[]; lonely: string[] } {
  const present = new Set(names)
  const pairs = wellKnownPairs.filter(pair => present.has(pair.chain) && present.has(pair.key))
  for (const chain of [...names].sort()) {
    const base = /^(.+)\.(pem|crt)$/.exec(chain)?.[1]
    const key = `${base}.key`
    if (base && present.has(key) && !pairs.some(pair => pair.key === key)) pairs.push({ chain, key })
  }
  const used = new Set(pairs.flatMap(pair => [pair.chain, pair.key]))
  const lonely = names.filter(name => /\.(pem|crt|key)$/.test(name) && !used.has(name) && !used.has('fullchain.pem'))
  return { pairs, lonely: lonely.sort() }
}

/** The first usable of the readings, and what is wrong with the others. */
export function chooseCertificate(readings: readonly CertificateReading[], now: number): CertificateChoice {
  const problems: CertificateProblem[] = []
  let chosen: CertificateChoice['chosen']
  for (const reading of readings) {
    const problem = reading.ok ? judge(reading, now) : reading
    if (problem) problems.push({ files: reading.files, problem: problem.problem, fix: problem.fix })
    else if (reading.ok) chosen ??= { files: reading.files, certificate: reading.certificate }
  }
  return { chosen, problems }
}

function judge(
  { files, certificate }: Extract<CertificateReading, { ok: true }>,
  now: number,
): { problem: string; fix: string } | undefined {
  if (!certificate.keyMatches) {
    return {
      problem: `the key ${files.key} does not belong to the certificate ${files.chain}`,
      fix: 'mount the key that the certificate was made with; the server certificate must be the first in its file',
    }
  }
  if (certificate.notAfter <= now) {
    return {
      problem: `the certificate ${files.chain} expired on ${day(certificate.notAfter)}`,
      fix: 'renew it and mount the new one',
    }
  }
  if (certificate.notBefore > now) {
    return {
      problem: `the certificate ${files.chain} is not valid before ${day(certificate.notBefore)}`,
      fix: "check the machine's clock",
    }
  }
  return undefined
}

function day(time: number): string {
  return new Date(time).toISOString()
}

/** Names a self-signed certificate is made for, without doubles. */
export function selfSignedNames(hostname: string, serverNames: readonly string[]): string[] {
  return [...new Set(['localhost', hostname.toLowerCase(), ...serverNames.map(name => name.toLowerCase())])].filter(
    name => name !== '' && name.length <= 253,
  )
}

/** Whether a kept self-signed certificate still serves: all names in it, and a tenth of a year left. */
export function isSelfSignedUsable(certificate: CertificateFacts, names: readonly string[], now: number): boolean {
  const present = new Set(certificate.names)
  return (
    certificate.keyMatches && certificate.notAfter - now > 36 * 86_400_000 && names.every(name => present.has(name))
  )
}
