import {
  bitString,
  booleanTrue,
  element,
  integer,
  objectId,
  octetString,
  sequence,
  set,
  time,
  utf8String,
} from './der-encoding.ts'

/** Content of a certificate to be signed (RFC 5280). */
export interface CertificateDraft {
  /** Sixteen random bytes. */
  serial: Uint8Array
  /** Common name, the only part of the issuer's and the subject's name. */
  issuer: string
  subject: string
  /** Milliseconds since the Unix epoch. */
  notBefore: number
  notAfter: number
  /** SubjectPublicKeyInfo, in DER. */
  publicKey: Uint8Array
  /** Identifiers of the certificate's key and of the issuer's key. */
  keyId: Uint8Array
  issuerKeyId: Uint8Array
  /** Either a CA that may sign only server certificates, for these names and names below them, and no further CAs; or a server, perhaps with the hash that an ACME challenge wants (RFC 8737, 3). */
  use: { kind: 'authority'; scope: Scope } | { kind: 'server'; names: Scope; acmeIdentifier?: Uint8Array }
}

/** Host names, and IPv4 and IPv6 addresses as bytes: names of a server, or names that a CA may sign for. */
export interface Scope {
  hosts: readonly string[]
  addresses: readonly Uint8Array[]
}

/** AlgorithmIdentifier of an ECDSA signature with SHA-256 (RFC 5758, 3.2). */
export const ecdsaWithSha256 = sequence(objectId('1.2.840.10045.4.3.2'))
const commonName = objectId('2.5.4.3')
const acmeIdentifier = '1.3.6.1.5.5.7.1.31'
const serverAuth = objectId('1.3.6.1.5.5.7.3.1')
const certSignAndCrlSign = bitString(Uint8Array.of(0x06), 1)
const digitalSignature = bitString(Uint8Array.of(0x80), 7)

/** TBSCertificate, in DER: the part of a certificate that is signed, with ECDSA and SHA-256. */
export function draftCertificate(draft: CertificateDraft): Uint8Array {
  const { serial, issuer, subject, notBefore, notAfter, publicKey } = draft
  return sequence(
    element(0xa0, integer(2)),
    // positive, and always the same length
    integer(((serial[0] ?? 0) & 0x7f) | 0x40, ...serial.slice(1)),
    ecdsaWithSha256,
    nameOf(issuer),
    sequence(time(notBefore), time(notAfter)),
    nameOf(subject),
    publicKey,
    element(0xa3, sequence(...extensionsOf(draft))),
  )
}

/** Signed certificate, in DER. */
export function signedCertificate(draft: Uint8Array, signature: Uint8Array): Uint8Array {
  return sequence(draft, ecdsaWithSha256, bitString(signature))
}

function nameOf(text: string): Uint8Array {
  return sequence(set(sequence(commonName, utf8String(text))))
}

function extensionsOf({ use, keyId, issuerKeyId }: CertificateDraft): Uint8Array[] {
  const isAuthority = use.kind === 'authority'
  return [
    critical('2.5.29.19', isAuthority ? sequence(booleanTrue, integer(0)) : sequence()),
    critical('2.5.29.15', isAuthority ? certSignAndCrlSign : digitalSignature),
    extension('2.5.29.37', sequence(serverAuth)),
    extension('2.5.29.14', octetString(keyId)),
    extension('2.5.29.35', sequence(element(0x80, issuerKeyId))),
    use.kind === 'authority'
      ? critical('2.5.29.30', sequence(element(0xa0, ...subtrees(use.scope))))
      : subjectAltName(use.names),
    ...(use.kind === 'server' && use.acmeIdentifier ? [critical(acmeIdentifier, octetString(use.acmeIdentifier))] : []),
  ]
}

/** Extension with the names of a server (RFC 5280, 4.2.1.6). */
export function subjectAltName(names: Scope): Uint8Array {
  return extension('2.5.29.17', sequence(...generalNames(names)))
}

function extension(id: string, value: Uint8Array): Uint8Array {
  return sequence(objectId(id), octetString(value))
}

function critical(id: string, value: Uint8Array): Uint8Array {
  return sequence(objectId(id), booleanTrue, octetString(value))
}

function generalNames({ hosts, addresses }: Scope): Uint8Array[] {
  return [
    ...hosts.map(host => element(0x82, new TextEncoder().encode(host))),
    ...addresses.map(address => element(0x87, address)),
  ]
}

/** Name constraints; each address has a mask that permits no other address. */
function subtrees({ hosts, addresses }: Scope): Uint8Array[] {
  const masked = addresses.map(address => Uint8Array.of(...address, ...address.map(() => 0xff)))
  return generalNames({ hosts, addresses: masked }).map(name => sequence(name))
}
