/** CA of the local certificate that is served. */
export interface LocalAuthorityStatus {
  file: string
  /** Common name, as lists of CAs show it. */
  name: string
  /** SHA-256 */
  fingerprint: string
  /** ISO 8601. */
  notAfter: string
  /** Names of the certificate. The CA may sign only for them and names below them. */
  names: string[]
}

/** Instructions for trusting the local CA. */
export function formatTrustInfo({ file, name, fingerprint, notAfter, names }: LocalAuthorityStatus): string {
  const copy = file.slice(file.lastIndexOf('/') + 1)
  return `Monohull's local CA signed the certificate that is served here.

file         ${file}
name         ${name}
SHA-256      ${fingerprint}
expires      ${notAfter.slice(0, 10)}
signs for    ${names.join(', ')}, and names below these; no others

Copy it from a container (use the second command if the file is on a tmpfs):
  docker cp NAME:${file} .
  docker exec NAME cat ${file} > ${copy}

Trust it on the machine of the browser or client, and restart that program:
  Debian, Ubuntu     sudo cp ${copy} /usr/local/share/ca-certificates/monohull-${copy} && sudo update-ca-certificates
  Fedora, RHEL       sudo cp ${copy} /etc/pki/ca-trust/source/anchors/monohull-${copy} && sudo update-ca-trust
  macOS              sudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain ${copy}
  Windows            certutil -addstore -f Root ${copy}    (as administrator)
  Chromium on Linux  certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n monohull-local-ca -i ${copy}    (libnss3-tools, nss-tools)
  Firefox            Settings, Certificates, View, Authorities, Import; or certutil as above with -d sql:PROFILE
  curl               curl --cacert ${copy} https://${names[0] ?? 'localhost'}/
  Node               NODE_EXTRA_CA_CERTS=${copy} node ...
`
}

/** Message for `trust-info` if no certificate from the local CA is served. */
export function describeForeignCertificates(
  served: readonly { names: readonly string[]; source: string; issuer: string }[],
): string {
  if (served.length === 0) return 'no certificate is served'
  const list = served.map(({ names, source, issuer }) => `${names.join(', ')} (${source}, by ${issuer})`)
  return `no certificate from the local CA is served, so there is nothing to trust: ${list.join('; ')}`
}
