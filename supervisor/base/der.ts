/** Element of DER (X.690): its tag, and the byte range of its content. */
export interface Element {
  tag: number
  start: number
  end: number
}

/** Object id 2.5.29.35, with tag and length. */
const authorityKeyIdentifier = [0x06, 0x03, 0x55, 0x1d, 0x23]
const keyIdentifierTag = 0x80
const utcTimeTag = 0x17
const generalizedTimeTag = 0x18

/** Identifier of the issuer's key in a DER certificate (RFC 5280, 4.2.1.1); undefined if it has none. */
export function authorityKeyId(certificate: Uint8Array): Uint8Array | undefined {
  const sequence = readExtension(certificate, authorityKeyIdentifier)
  const keyId = sequence && readElement(certificate, sequence.start)
  if (keyId?.tag !== keyIdentifierTag || keyId.end > certificate.length) return undefined
  return certificate.slice(keyId.start, keyId.end)
}

/** Value of an extension, found by its object id with tag and length; undefined if the certificate does not have it. */
export function readExtension(certificate: Uint8Array, id: readonly number[]): Element | undefined {
  const at = certificate.findIndex((_, index) => id.every((byte, i) => certificate[index + i] === byte))
  if (at === -1) return undefined
  let next = at + id.length
  if (certificate[next] === 0x01) next += 3 // critical
  const octets = readElement(certificate, next)
  return octets && readElement(certificate, octets.start)
}

/** Elements at the top level of the bytes; usually one. */
export function topLevelElements(bytes: Uint8Array): Element[] {
  return elementsIn(bytes, { tag: 0, start: 0, end: bytes.length })
}

/** Elements directly inside another element. Stops at the first that is damaged. */
export function elementsIn(bytes: Uint8Array, { start, end }: Element): Element[] {
  const elements: Element[] = []
  for (let next = start; next < end; ) {
    const element = readElement(bytes, next)
    if (!element || element.end > end) break
    elements.push(element)
    next = element.end
  }
  return elements
}

function readElement(bytes: Uint8Array, offset: number): Element | undefined {
  const tag = bytes[offset]
  const first = bytes[offset + 1]
  if (tag === undefined || first === undefined) return undefined
  if (first < 0x80) return { tag, start: offset + 2, end: offset + 2 + first }
  const count = first & 0x7f
  let length = 0
  for (let index = 0; index < count; index++) length = length * 256 + (bytes[offset + 2 + index] ?? 0)
  return { tag, start: offset + 2 + count, end: offset + 2 + count + length }
}

/** Content of the INTEGER for a serial number in hexadecimal, with a leading zero byte if the first bit is set. */
export function serialContent(hex: string): Uint8Array {
  const even = hex.length % 2 === 0 ? hex : `0${hex}`
  const bytes = Uint8Array.from(even.match(/../g) ?? [], pair => Number.parseInt(pair, 16))
  return (bytes[0] ?? 0) >= 0x80 ? Uint8Array.of(0, ...bytes) : bytes
}

/** Time of a UTCTime or GeneralizedTime (RFC 5280, 4.1.2.5), in milliseconds since the Unix epoch; undefined for any other element. */
export function timeOf(bytes: Uint8Array, { tag, start, end }: Element): number | undefined {
  const text = new TextDecoder().decode(bytes.subarray(start, end))
  const [, year = '', rest = ''] = /^(\d{2}|\d{4})(\d{10})Z$/.exec(text) ?? []
  if (tag !== utcTimeTag && tag !== generalizedTimeTag) return undefined
  const century = tag === generalizedTimeTag ? '' : Number(year) < 50 ? '20' : '19'
  const time = Date.parse(`${century}${year}-${rest.replace(/(..)(..)(..)(..)(..)/, '$1-$2T$3:$4:$5Z')}`)
  return Number.isNaN(time) ? undefined : time
}
