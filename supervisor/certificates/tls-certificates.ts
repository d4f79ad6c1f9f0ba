import type { CertificateFiles } from './certificate.ts'

/** Certificates for the same names; one of each key type. */
export interface TlsCertificateSet {
  names: readonly string[]
  files: readonly CertificateFiles[]
}

export interface TlsCertificates {
  /** For clients that ask for no name, or one that no certificate is for. */
  fallback: TlsCertificateSet
  /** By the name that the client asks for. */
  named: readonly TlsCertificateSet[]
}
