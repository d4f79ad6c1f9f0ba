/** Encoders for DER (X.690). Each function returns a whole element, with tag and length. */

/** Element with the given tag and content. */
export function element(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const content = Uint8Array.from(parts.flatMap(part => [...part]))
  return Uint8Array.of(tag, ...lengthOf(content.length), ...content)
}

function lengthOf(length: number): number[] {
  if (length < 0x80) return [length]
  const bytes: number[] = []
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256)
  return [0x80 | bytes.length, ...bytes]
}

/** SEQUENCE of elements. */
export const sequence = (...parts: readonly Uint8Array[]) => element(0x30, ...parts)

/** SET of elements. */
export const set = (...parts: readonly Uint8Array[]) => element(0x31, ...parts)

/** INTEGER from the content of a non-negative number: big endian, with a leading zero byte if the first bit is set. */
export const integer = (...content: readonly number[]) => element(0x02, Uint8Array.from(content))

/** BOOLEAN TRUE. */
export const booleanTrue = Uint8Array.of(0x01, 0x01, 0xff)

/** NULL. */
export const nullValue = Uint8Array.of(0x05, 0x00)

/** OCTET STRING. */
export const octetString = (content: Uint8Array) => element(0x04, content)

/** BIT STRING. `unused`: number of bits at the end of the last byte that do not count. */
export const bitString = (content: Uint8Array, unused = 0) => element(0x03, Uint8Array.of(unused), content)

/** UTF8String. */
export const utf8String = (text: string) => element(0x0c, new TextEncoder().encode(text))

/** OBJECT IDENTIFIER from dotted notation, such as `1.2.840.10045.4.3.2`. */
export function objectId(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...others] = dotted.split('.').map(Number)
  return element(0x06, Uint8Array.from([first * 40 + second, ...others].flatMap(base128)))
}

function base128(value: number): number[] {
  const bytes = [value % 128]
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) bytes.unshift(0x80 | (rest % 128))
  return bytes
}

/** Time from milliseconds since the Unix epoch, in whole seconds: UTCTime until 2049, GeneralizedTime from 2050 on (RFC 5280, 4.1.2.5). */
export function time(ms: number): Uint8Array {
  const digits = `${new Date(ms).toISOString().slice(0, 19).replace(/[-:T]/g, '')}Z`
  const isLate = Number(digits.slice(0, 4)) >= 2050
  return element(isLate ? 0x18 : 0x17, new TextEncoder().encode(isLate ? digits : digits.slice(2)))
}
