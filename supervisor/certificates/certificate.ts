/** Paths of a certificate file and its key. */
export interface CertificateFiles {
  chain: string
  key: string
}

/** Certificate and key that were read, with the chain in order. */
export interface UsableCertificate {
  /** Files that it was read from. */
  files: CertificateFiles
  certificate: CertificateFacts
  /** Content for nginx: exactly what was checked. Never print the key. */
  pem: { chain: string; key: string }
}

/** Result of reading a pair. */
export type CertificateReading =
  | ({ ok: true } & UsableCertificate)
  | { ok: false; files: CertificateFiles; problem: string; fix: string }

/** Properties of a certificate that decide when and for which names it is served. */
export interface CertificateFacts {
  subject: string
  issuer: string
  names: string[]
  serial: string
  /** Milliseconds since the Unix epoch. */
  notBefore: number
  notAfter: number
  keyMatches: boolean
  keyType: 'ecdsa' | 'rsa' | 'eddsa'
  /** Identifier of chain and key together, in hexadecimal: it changes with either. */
  id: string
  /** SHA-256 of the certificate alone, as seen in handshakes. */
  fingerprint: string
  /** Warnings that are no reason to reject it. */
  remarks: string[]
}

/** Reason why a pair is not served, and how to fix it. */
export interface CertificateProblem {
  files: CertificateFiles
  problem: string
  fix: string
  /** Time at which it resolves itself; milliseconds since the Unix epoch. */
  resolvesAt?: number | undefined
}

/** Usable certificates, and the problems of the others. */
export interface CertificateChoice {
  usable: UsableCertificate[]
  problems: CertificateProblem[]
}

/**
 * Splits readings into usable certificates, in the same order and without duplicates, and problems. `isFutureUsable`: for certificates
 * that a CA issued to this instance. If one is not valid yet, the clock of this machine is behind, and clients accept it.
 */
export function chooseCertificates(
  readings: readonly CertificateReading[],
  now: number,
  { isFutureUsable = false }: { isFutureUsable?: boolean } = {},
): CertificateChoice {
  const usable: UsableCertificate[] = []
  const problems: CertificateProblem[] = []
  for (const reading of readings) {
    const found: Judgement | undefined = reading.ok ? judge(reading, { now, isFutureUsable }) : reading
    if (found)
      problems.push({ files: reading.files, problem: found.problem, fix: found.fix, resolvesAt: found.resolvesAt })
    else if (reading.ok && !usable.some(({ certificate }) => certificate.id === reading.certificate.id))
      usable.push({ files: reading.files, certificate: reading.certificate, pem: reading.pem })
  }
  return { usable, problems }
}

type Judgement = Omit<CertificateProblem, 'files'>

function judge(
  { files, certificate }: UsableCertificate,
  { now, isFutureUsable }: { now: number; isFutureUsable: boolean },
): Judgement | undefined {
  if (!certificate.keyMatches) {
    return {
      problem: `the key ${files.key} does not belong to the certificate ${files.chain}`,
      fix: 'mount the key that the certificate was issued for',
    }
  }
  if (certificate.notAfter <= now) {
    return {
      problem: `the certificate ${files.chain} expired on ${day(certificate.notAfter)}`,
      fix: 'renew it and mount the new certificate',
    }
  }
  if (certificate.notBefore > now && !isFutureUsable) {
    return {
      problem: `the certificate ${files.chain} is not valid before ${day(certificate.notBefore)}`,
      fix: "it will be served from then on; if the date is wrong, check the machine's clock",
      resolvesAt: certificate.notBefore,
    }
  }
  return undefined
}

function day(time: number): string {
  return new Date(time).toISOString()
}
