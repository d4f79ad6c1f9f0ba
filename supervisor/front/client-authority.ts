import { type Element, elementsIn, timeOf, topLevelElements } from '../base/der.ts'

/** CA of client certificates. Its names are the DER of a distinguished name, in hexadecimal. */
export interface ClientAuthority {
  /** Common name, for messages. */
  label: string
  subject: string
  issuer: string
  /** Milliseconds since the Unix epoch. */
  notBefore: number
  notAfter: number
}

/** Certificate revocation list (CRL) of a CA. */
export interface RevocationList {
  label: string
  issuer: string
  /** Milliseconds since the Unix epoch. */
  thisUpdate: number
  /** Time from which clients are no longer checked against it but rejected. */
  nextUpdate: number | undefined
}

/** Object id 2.5.4.3, with tag and length, in hexadecimal. */
const commonName = '0603550403'
const explicitVersion = 0xa0
const integerTag = 0x02

/** CA in a PEM certificate (RFC 5280, 4.1); undefined if it cannot be parsed. */
export function readClientAuthority(pem: string): ClientAuthority | undefined {
  const bytes = bytesOf(pem)
  const parts = signedPart(bytes)
  if (parts[0]?.tag === explicitVersion) parts.shift()
  const [, , issuer, validity, subject] = parts
  const [notBefore, notAfter] = validity ? elementsIn(bytes, validity).map(time => timeOf(bytes, time)) : []
  if (!issuer || !subject || notBefore === undefined || notAfter === undefined) return undefined
  return {
    ...{ label: labelOf(bytes, subject), notBefore, notAfter },
    ...{ subject: hex(bytes, subject), issuer: hex(bytes, issuer) },
  }
}

/** Revocation list in PEM (RFC 5280, 5.1); undefined if it cannot be parsed. */
export function readRevocationList(pem: string): RevocationList | undefined {
  const bytes = bytesOf(pem)
  const parts = signedPart(bytes)
  if (parts[0]?.tag === integerTag) parts.shift()
  const [, issuer, first, second] = parts
  const thisUpdate = first && timeOf(bytes, first)
  if (!issuer || thisUpdate === undefined) return undefined
  const nextUpdate = second && timeOf(bytes, second)
  return { label: labelOf(bytes, issuer), issuer: hex(bytes, issuer), thisUpdate, nextUpdate }
}

function bytesOf(pem: string): Uint8Array {
  return Buffer.from(pem.replace(/-----[^-]+-----/g, ''), 'base64')
}

/** Elements of the part that is signed, in a certificate or a list. */
function signedPart(bytes: Uint8Array): Element[] {
  const [outer] = topLevelElements(bytes)
  const [signed] = outer ? elementsIn(bytes, outer) : []
  return signed ? elementsIn(bytes, signed) : []
}

function hex(bytes: Uint8Array, { start, end }: Element): string {
  return Buffer.from(bytes.subarray(start, end)).toString('hex')
}

/** Common name, or else the last part of the name. */
function labelOf(bytes: Uint8Array, name: Element): string {
  const attributes = elementsIn(bytes, name)
    .flatMap(set => elementsIn(bytes, set))
    .map(attribute => {
      const [, value] = elementsIn(bytes, attribute)
      const text = value ? new TextDecoder().decode(bytes.subarray(value.start, value.end)) : ''
      return { isCommon: hex(bytes, attribute).startsWith(commonName), text }
    })
  return (attributes.find(({ isCommon }) => isCommon) ?? attributes.at(-1))?.text ?? 'without a name'
}
