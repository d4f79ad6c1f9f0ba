/** Writing DER (X.690): each function gives a whole element, with its tag and length. */

/** An element with any tag around the given content. */
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

export const sequence = (...parts: readonly Uint8Array[]) => element(0x30, ...parts)

export const set = (...parts: readonly Uint8Array[]) => element(0x31, ...parts)

/** From the content of a number that is not negative: big endian, with a zero in front where the first bit is set. */
export const integer = (...content: readonly number[]) => element(0x02, Uint8Array.from(content))

export const yes = Uint8Array.of(0x01, 0x01, 0xff)

export const nothing = Uint8Array.of(0x05, 0x00)

export const octets = (content: Uint8Array) => element(0x04, content)

/** `unused`: how many of the last byte's bits are none. */
export const bits = (content: Uint8Array, unused = 0) => element(0x03, Uint8Array.of(unused), content)

export const utf8 = (text: string) => element(0x0c, new TextEncoder().encode(text))

/** `1.2.840.10045.4.3.2` */
export function objectId(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...others] = dotted.split('.').map(Number)
  return element(0x06, Uint8Array.from([first * 40 + second, ...others].flatMap(base128)))
}

function base128(value: number): number[] {
  const bytes = [value % 128]
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) bytes.unshift(0x80 | (rest % 128))
  return bytes
}

/** A time in milliseconds, in whole seconds: UTCTime until 2049, GeneralizedTime from then on (RFC 5280, 4.1.2.5). */
export function time(ms: number): Uint8Array {
  const digits = `${new Date(ms).toISOString().slice(0, 19).replace(/[-:T]/g, '')}Z`
  const isLate = Number(digits.slice(0, 4)) >= 2050
  return element(isLate ? 0x18 : 0x17, new TextEncoder().encode(isLate ? digits : digits.slice(2)))
}
