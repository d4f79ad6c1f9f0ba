/** A certificate file and its key, as found in a folder. */
export interface CertificateFiles {
  chain: string
  key: string
}

/** A pair as it was read, and put in order. */
export interface UsableCertificate {
  /** Where it was read. */
  files: CertificateFiles
  certificate: CertificateFacts
  /** What nginx gets: exactly what was checked. The key is never to be printed. */
  pem: { chain: string; key: string }
}

/** What reading a pair gave. */
export type CertificateReading =
  | ({ ok: true } & UsableCertificate)
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
  keyType: 'ecdsa' | 'rsa' | 'eddsa'
  /** Of chain and key together, as letters and digits: it changes with any of them. */
  id: string
  /** SHA-256 of the certificate itself, as handshakes show it. */
  fingerprint: string
  /** What is odd, and no reason to refuse it. */
  remarks: string[]
}

export interface CertificateProblem {
  files: CertificateFiles
  problem: string
  fix: string
  /** When it ends by itself; milliseconds since the Unix epoch. */
  endsAt?: number | undefined
}

export interface CertificateChoice {
  usable: UsableCertificate[]
  problems: CertificateProblem[]
}

/** The usable ones of the readings, in their order, and what is wrong with the others. */
export function chooseCertificates(readings: readonly CertificateReading[], now: number): CertificateChoice {
  const usable: UsableCertificate[] = []
  const problems: CertificateProblem[] = []
  for (const reading of readings) {
    const found: Judgement | undefined = reading.ok ? judge(reading, now) : reading
    if (found) problems.push({ files: reading.files, problem: found.problem, fix: found.fix, endsAt: found.endsAt })
    else if (reading.ok && !usable.some(({ certificate }) => certificate.id === reading.certificate.id))
      usable.push({ files: reading.files, certificate: reading.certificate, pem: reading.pem })
  }
  return { usable, problems }
}

type Judgement = Omit<CertificateProblem, 'files'>

function judge({ files, certificate }: UsableCertificate, now: number): Judgement | undefined {
  if (!certificate.keyMatches) {
    return {
      problem: `the key ${files.key} does not belong to the certificate ${files.chain}`,
      fix: 'mount the key that the certificate was made with',
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
      fix: "check the machine's clock; it is served from then on",
      endsAt: certificate.notBefore,
    }
  }
  return undefined
}

function day(time: number): string {
  return new Date(time).toISOString()
}
