import type { KeyObject, X509Certificate } from 'node:crypto'
import { elementsIn, topLevelElements } from '../../base/der.ts'
import type { CertificateFacts } from '../certificate.ts'

/** Reason why OpenSSL rejects a key or a chain, and how to fix it. */
export interface Weakness {
  ok: false
  /** Predicate of a sentence whose subject is the weak file. */
  problem: string
  fix: string
}

/** Limits of OpenSSL in Debian's configuration, for servers. */
const minRsaBits = 2048
const curves = new Set(['prime256v1', 'secp384r1', 'secp521r1'])

/** Hashes that OpenSSL no longer accepts in signatures, by the content of the algorithm's object id in hexadecimal. */
const weakSignatures = new Map([
  ['2a864886f70d010104', 'MD5'],
  ['2a864886f70d010105', 'SHA-1'],
  ['2a8648ce3d0401', 'SHA-1'],
])

/** Reason why nginx would reject a key; undefined if it accepts it. */
export function findKeyWeakness(key: KeyObject): Weakness | undefined {
  const { namedCurve } = key.asymmetricKeyDetails ?? {}
  const fix = 'create a new one: EC P-256, or RSA with at least 2048 bits'
  if (keyTypeOf(key) === undefined) return { ok: false, problem: `is of type ${key.asymmetricKeyType}`, fix }
  const few = tooFewBits(key)
  if (few !== undefined) return { ok: false, problem: `has ${few} bits, too few for OpenSSL`, fix }
  if (namedCurve !== undefined && !curves.has(namedCurve))
    return { ok: false, problem: `uses the curve ${namedCurve}, which TLS clients do not support`, fix }
  return undefined
}

/** Reason why nginx would reject a chain, leaf first. A weak certificate in it would keep nginx from starting at all. */
export function findChainWeakness(chain: readonly X509Certificate[]): Weakness | undefined {
  const fix = 'have the certificate reissued'
  for (const [index, x509] of chain.entries()) {
    const subject = index === 0 ? 'the certificate' : `the CA certificate ${oneLine(x509.subject)}`
    const hash = x509.subject === x509.issuer ? undefined : weakHash(x509)
    if (hash) return { ok: false, problem: `is too weak for OpenSSL: ${subject} is signed with ${hash}`, fix }
    const few = index === 0 ? undefined : tooFewBits(x509.publicKey)
    if (few !== undefined)
      return { ok: false, problem: `is too weak for OpenSSL: ${subject} has a key of ${few} bits`, fix }
  }
  return undefined
}

/** Type of a key; undefined if TLS cannot use it. */
export function keyTypeOf(key: KeyObject): CertificateFacts['keyType'] | undefined {
  if (key.asymmetricKeyType === 'ec') return 'ecdsa'
  if (key.asymmetricKeyType?.startsWith('rsa')) return 'rsa'
  return key.asymmetricKeyType?.startsWith('ed') ? 'eddsa' : undefined
}

/** Distinguished name of an X.509 certificate on one line. */
export function oneLine(name: string): string {
  return name.replaceAll('\n', ', ')
}

function tooFewBits({ asymmetricKeyDetails }: KeyObject): number | undefined {
  const bits = asymmetricKeyDetails?.modulusLength
  return bits !== undefined && bits < minRsaBits ? bits : undefined
}

/** A certificate consists of the signed part, the algorithm, and the signature (RFC 5280, 4.1). */
function weakHash({ raw }: X509Certificate): string | undefined {
  const [, algorithm] = topLevelElements(raw).flatMap(certificate => elementsIn(raw, certificate))
  const [id] = algorithm ? elementsIn(raw, algorithm) : []
  return id && weakSignatures.get(raw.subarray(id.start, id.end).toString('hex'))
}
