import type { CertificateFiles } from './certificate.ts'

/** Certificates for the same names, one of each key type. */
export interface TlsCertificateSet {
  names: readonly string[]
  files: readonly CertificateFiles[]
}

/** Certificates for nginx's configuration. */
export interface TlsCertificates {
  /** For clients that request no name, or a name that no certificate covers. */
  fallback: TlsCertificateSet
  /** By requested name (SNI). */
  named: readonly TlsCertificateSet[]
}
