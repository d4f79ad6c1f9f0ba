import { quote } from '../nginx/text.ts'

/** Check of client certificates. */
export interface ClientCertificates {
  mode: ClientCertificateMode
  /** CAs as PEM. */
  authorities: string
  /** Certificate revocation lists as PEM. */
  revoked: string | undefined
}

/** Whether a client must have a certificate. */
export type ClientCertificateMode = 'required' | 'optional'

/** Mode of a route; undefined: that of the whole front. */
export interface RouteClientCertificate {
  clientCertificate?: ClientCertificateMode | undefined
}

const authoritiesFile = 'rendered/client-ca.pem'
const revokedFile = 'rendered/client-crl.pem'
/** Short, because the certificate of a resumed session is not checked again. */
const sessionTimeout = '10m'

/** Files in addition to the rendered ones, by name. As part of the configuration, a change of them causes a reload. */
export function clientCertificateFiles(settings: ClientCertificates | undefined): [string, string][] {
  if (!settings) return []
  return [
    [authoritiesFile, settings.authorities],
    ...(settings.revoked ? [[revokedFile, settings.revoked] as [string, string]] : []),
  ]
}

/** Lines for an HTTPS server. It requests certificates but does not require them, because health and ACME challenges are open to everyone. */
export function renderClientCertificates(settings: ClientCertificates | undefined, configDirectory: string): string[] {
  if (!settings) return []
  return [
    '# tls.client_certificates',
    `ssl_client_certificate ${quote(`${configDirectory}/${authoritiesFile}`)};`,
    'ssl_verify_client optional;',
    'ssl_verify_depth 4;',
    ...(settings.revoked ? [`ssl_crl ${quote(`${configDirectory}/${revokedFile}`)};`] : []),
    `ssl_session_timeout ${sessionTimeout};`,
  ]
}

/** Lines for the locations of a route: they reject clients without a required certificate, and send the app headers about it. */
export function renderRouteClientCertificate(
  { clientCertificate }: RouteClientCertificate,
  settings: ClientCertificates | undefined,
): string[] {
  if (!settings) return []
  return [
    'include snippets/client-certificate.conf;',
    ...((clientCertificate ?? settings.mode) === 'required'
      ? ['include snippets/require-client-certificate.conf;']
      : []),
  ]
}
