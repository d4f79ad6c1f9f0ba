import { isUtf8 } from 'node:buffer'

/** Runs of ASCII, valid sequences of UTF-8 (RFC 3629), and single other bytes, in latin1. */
const sequences =
  /[\0-\x7f]+|(?:[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2})+|[\x80-\xff]/g

/** First code unit of the lone surrogates U+DC80 to U+DCFF, which stand for the bytes 0x80 to 0xFF (PEP 383). */
const escapes = 0xdc00

/** Text of bytes from the system. A byte that is not UTF-8 becomes a lone surrogate, so that `bytesOf` returns the same bytes. */
export function textOf(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString()
  return bytes.toString('latin1').replace(sequences, run => {
    const isStray = run.length === 1 && run > '\x7f'
    return isStray ? String.fromCharCode(escapes + run.charCodeAt(0)) : Buffer.from(run, 'latin1').toString()
  })
}

/** Bytes of a text for the system: the inverse of `textOf`. */
export function bytesOf(text: string): Buffer {
  const parts = text.split(/([\udc80-\udcff]+)/u).map((part, index) => {
    if (index % 2 === 0) return Buffer.from(part)
    return Buffer.from(Array.from(part, unit => unit.charCodeAt(0) - escapes))
  })
  return parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts)
}
