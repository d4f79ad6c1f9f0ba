import type { KeyObject, X509Certificate } from 'node:crypto'
import type { CertificateFacts } from '../certificate.ts'
import { elementsIn, whole } from '../der.ts'

export interface Weakness {
  ok: false
  /** Continues a sentence that begins with what is weak. */
  problem: string
  fix: string
}

/** What OpenSSL, as Debian sets it up, lets a server use. */
const leastRsaBits = 2048
const curves = new Set(['prime256v1', 'secp384r1', 'secp521r1'])

/** Algorithms that sign with a hash which OpenSSL takes no more, by the content of their object ids in hexadecimal. */
const weakSignatures = new Map([
  ['2a864886f70d010104', 'MD5'],
  ['2a864886f70d010105', 'SHA-1'],
  ['2a8648ce3d0401', 'SHA-1'],
])

/** Why nginx would not take a key. */
export function findKeyWeakness(key: KeyObject): Weakness | undefined {
  const { namedCurve } = key.asymmetricKeyDetails ?? {}
  const fix = 'make a new one: EC P-256, or RSA of 2048 bits or more'
  if (keyTypeOf(key) === undefined) return { ok: false, problem: `is of type ${key.asymmetricKeyType}`, fix }
  const few = tooFewBits(key)
  if (few !== undefined) return { ok: false, problem: `has ${few} bits, too few for OpenSSL`, fix }
  if (namedCurve !== undefined && !curves.has(namedCurve))
    return { ok: false, problem: `is of the curve ${namedCurve}, which TLS clients do not know`, fix }
  return undefined
}

/** Why nginx would take none of a chain, leaf first: it would not start, nor serve the other certificates, with a weak one. */
export function findChainWeakness(chain: readonly X509Certificate[]): Weakness | undefined {
  const fix = 'have the certificate issued anew'
  for (const [place, x509] of chain.entries()) {
    const who = place === 0 ? 'the certificate' : `the CA's certificate ${oneLine(x509.subject)}`
    const hash = x509.subject === x509.issuer ? undefined : weakHash(x509)
    if (hash) return { ok: false, problem: `holds what OpenSSL refuses: ${who} is signed with ${hash}`, fix }
    const few = place === 0 ? undefined : tooFewBits(x509.publicKey)
    if (few !== undefined)
      return { ok: false, problem: `holds what OpenSSL refuses: ${who} has a key of ${few} bits`, fix }
  }
  return undefined
}

/** The kind of a key; undefined for one that is not for TLS. */
export function keyTypeOf(key: KeyObject): CertificateFacts['keyType'] | undefined {
  if (key.asymmetricKeyType === 'ec') return 'ecdsa'
  if (key.asymmetricKeyType?.startsWith('rsa')) return 'rsa'
  return key.asymmetricKeyType?.startsWith('ed') ? 'eddsa' : undefined
}

/** A name of an X.509 certificate in one line. */
export function oneLine(name: string): string {
  return name.replaceAll('\n', ', ')
}

function tooFewBits({ asymmetricKeyDetails }: KeyObject): number | undefined {
  const bits = asymmetricKeyDetails?.modulusLength
  return bits !== undefined && bits < leastRsaBits ? bits : undefined
}

/** The certificate is what is signed, the algorithm, and the signature (RFC 5280, 4.1). */
function weakHash({ raw }: X509Certificate): string | undefined {
  const [, algorithm] = whole(raw).flatMap(certificate => elementsIn(raw, certificate))
  const [id] = algorithm ? elementsIn(raw, algorithm) : []
  return id && weakSignatures.get(raw.subarray(id.start, id.end).toString('hex'))
}
