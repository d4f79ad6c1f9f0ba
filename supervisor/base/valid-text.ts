/** A character of several bytes in valid UTF-8, or one byte that is not part of such a character, in latin1. */
const beyondAscii =
  /[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}|[\x80-\xff]/g

/** Text of bytes that may not be UTF-8. A byte that is not appears after `mark`, as in nginx's log: `\xFF`. */
export function validText(bytes: Buffer, mark = '\\x'): string {
  return bytes
    .toString('latin1')
    .replaceAll(beyondAscii, found =>
      found.length > 1
        ? Buffer.from(found, 'latin1').toString()
        : `${mark}${found.charCodeAt(0).toString(16).toUpperCase()}`,
    )
}
