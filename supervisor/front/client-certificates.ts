import { quote } from '../nginx/text.ts'

/** What clients have to show. */
export interface ClientCertificates {
  mode: ClientCertificateMode
  /** CAs, and lists of revoked certificates, as PEM. */
  authorities: string
  revoked: string | undefined
}

export type ClientCertificateMode = 'required' | 'optional'

/** What a route asks for; undefined: as everywhere. */
export interface RouteClientCertificate {
  clientCertificate?: ClientCertificateMode | undefined
}

const authoritiesFile = 'rendered/client-ca.pem'
const revokedFile = 'rendered/client-crl.pem'
/** A session that is taken up again is not checked anew. */
const sessionTimeout = '10m'

/** Files beside the rendered ones, by name: so that another text of theirs is another configuration. */
export function clientCertificateFiles(wanted: ClientCertificates | undefined): [string, string][] {
  if (!wanted) return []
  return [
    [authoritiesFile, wanted.authorities],
    ...(wanted.revoked ? [[revokedFile, wanted.revoked] as [string, string]] : []),
  ]
}

/** For an HTTPS server. It asks and requires nothing yet: health, and what a CA asks for, are for anybody. */
export function renderClientCertificates(wanted: ClientCertificates | undefined, configDirectory: string): string[] {
  if (!wanted) return []
  return [
    '# tls.client_certificates',
    `ssl_client_certificate ${quote(`${configDirectory}/${authoritiesFile}`)};`,
    'ssl_verify_client optional;',
    'ssl_verify_depth 4;',
    ...(wanted.revoked ? [`ssl_crl ${quote(`${configDirectory}/${revokedFile}`)};`] : []),
    `ssl_session_timeout ${sessionTimeout};`,
  ]
}

/** For the locations of a route: refuses who has to show a certificate and does not, and has the app told of it. */
export function renderRouteClientCertificate(
  { clientCertificate }: RouteClientCertificate,
  wanted: ClientCertificates | undefined,
): string[] {
  if (!wanted) return []
  return [
    'include snippets/client-certificate.conf;',
    ...((clientCertificate ?? wanted.mode) === 'required' ? ['include snippets/require-client-certificate.conf;'] : []),
  ]
}
