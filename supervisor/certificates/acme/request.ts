import { bitString, element, integer, nullValue, objectId, sequence, set } from '../der-encoding.ts'
import { ecdsaWithSha256, type Scope, subjectAltName } from '../x509.ts'

const extensionRequest = objectId('1.2.840.113549.1.9.14')
const algorithms = {
  ecdsa: ecdsaWithSha256,
  rsa: sequence(objectId('1.2.840.113549.1.1.11'), nullValue),
}

/**
 * CertificationRequestInfo, in DER: the part of a certificate request (CSR, RFC 2986) that is signed. It has no subject: public CAs
 * expect the host names in the extension only. `publicKey`: SubjectPublicKeyInfo, in DER.
 */
export function draftRequest({ publicKey, names }: { publicKey: Uint8Array; names: Scope }): Uint8Array {
  const extensions = sequence(subjectAltName(names))
  return sequence(integer(0), sequence(), publicKey, element(0xa0, sequence(extensionRequest, set(extensions))))
}

/** Signed certificate request, in DER. `signature`: signature of the draft, with SHA-256. */
export function signedRequest(draft: Uint8Array, keyType: 'ecdsa' | 'rsa', signature: Uint8Array): Uint8Array {
  return sequence(draft, algorithms[keyType], bitString(signature))
}
