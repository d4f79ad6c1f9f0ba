import { bits, element, integer, objectId, octets, sequence, set, time, utf8, yes } from './der-encoding.ts'

/** What is to be signed, so that it becomes a certificate (RFC 5280). */
export interface CertificateDraft {
  /** Sixteen bytes at random. */
  serial: Uint8Array
  /** Common names, which is all that the two names consist of. */
  issuer: string
  subject: string
  /** Milliseconds since the Unix epoch. */
  notBefore: number
  notAfter: number
  /** SubjectPublicKeyInfo, in DER. */
  publicKey: Uint8Array
  /** Identifiers of the own key and of the issuer's. */
  keyId: Uint8Array
  issuerKeyId: Uint8Array
  /** A CA for names below these and no others, which signs for servers and makes no further CAs; or a server. */
  use: { kind: 'authority'; scope: Scope } | { kind: 'server'; names: Scope }
}

/** Host names, and IPv4 and IPv6 addresses as bytes: as names of a server, or what a CA may sign for. */
export interface Scope {
  hosts: readonly string[]
  addresses: readonly Uint8Array[]
}

/** The algorithm of a signature (RFC 5758, 3.2). */
export const ecdsaWithSha256 = sequence(objectId('1.2.840.10045.4.3.2'))
const commonName = objectId('2.5.4.3')
const serverAuth = objectId('1.3.6.1.5.5.7.3.1')
const certSignAndCrlSign = bits(Uint8Array.of(0x06), 1)
const digitalSignature = bits(Uint8Array.of(0x80), 7)

/** The part of a certificate that is signed, with ECDSA and SHA-256. */
export function draftCertificate(draft: CertificateDraft): Uint8Array {
  const { serial, issuer, subject, notBefore, notAfter, publicKey } = draft
  return sequence(
    element(0xa0, integer(2)),
    // positive, and never shorter
    integer(((serial[0] ?? 0) & 0x7f) | 0x40, ...serial.slice(1)),
    ecdsaWithSha256,
    nameOf(issuer),
    sequence(time(notBefore), time(notAfter)),
    nameOf(subject),
    publicKey,
    element(0xa3, sequence(...extensionsOf(draft))),
  )
}

/** The certificate, in DER. */
export function signedCertificate(draft: Uint8Array, signature: Uint8Array): Uint8Array {
  return sequence(draft, ecdsaWithSha256, bits(signature))
}

function nameOf(text: string): Uint8Array {
  return sequence(set(sequence(commonName, utf8(text))))
}

function extensionsOf({ use, keyId, issuerKeyId }: CertificateDraft): Uint8Array[] {
  const isAuthority = use.kind === 'authority'
  return [
    critical('2.5.29.19', isAuthority ? sequence(yes, integer(0)) : sequence()),
    critical('2.5.29.15', isAuthority ? certSignAndCrlSign : digitalSignature),
    extension('2.5.29.37', sequence(serverAuth)),
    extension('2.5.29.14', octets(keyId)),
    extension('2.5.29.35', sequence(element(0x80, issuerKeyId))),
    use.kind === 'authority'
      ? critical('2.5.29.30', sequence(element(0xa0, ...subtrees(use.scope))))
      : subjectAltName(use.names),
  ]
}

/** The extension with the names of a server (RFC 5280, 4.2.1.6). */
export function subjectAltName(names: Scope): Uint8Array {
  return extension('2.5.29.17', sequence(...generalNames(names)))
}

function extension(id: string, value: Uint8Array): Uint8Array {
  return sequence(objectId(id), octets(value))
}

function critical(id: string, value: Uint8Array): Uint8Array {
  return sequence(objectId(id), yes, octets(value))
}

function generalNames({ hosts, addresses }: Scope): Uint8Array[] {
  return [
    ...hosts.map(host => element(0x82, new TextEncoder().encode(host))),
    ...addresses.map(address => element(0x87, address)),
  ]
}

/** Each address with a mask that leaves no other. */
function subtrees({ hosts, addresses }: Scope): Uint8Array[] {
  const masked = addresses.map(address => Uint8Array.of(...address, ...address.map(() => 0xff)))
  return generalNames({ hosts, addresses: masked }).map(name => sequence(name))
}
