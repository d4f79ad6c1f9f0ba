/** Name of what can be removed from lines: `query`, `query.NAME`, or `remote_addr`. */
export type Redacted = string

/** Text in place of a query. */
export const redactedQuery = '?[redacted]'
/** Text in place of the value of a parameter. */
export const redactedValue = '[redacted]'

const parameter = /^query\.(.+)$/

/** Characters that PHP takes for `_` in a name. */
const underscores = ['_', '.', '+', ' ']

/**
 * Pattern for each parameter of a query whose value is to be removed, up to its `=`. A client may escape any character of the name, and
 * put an index after it; upper and lower case are not distinguished. For PHP, it may also put spaces before it.
 */
export function parameterPatterns(redacted: readonly Redacted[]): string[] {
  if (redacted.includes('query')) return []
  return redacted.flatMap(name => {
    const own = parameter.exec(name)?.[1]
    if (own === undefined) return []
    const characters = [...own].map(one => `(?:${(one === '_' ? underscores : [one]).flatMap(spellings).join('|')})`)
    return [`(?:\\x2b|%20)*${characters.join('')}(?:(?:\\[|%5b)[^=&]*)?=`]
  })
}

/** Patterns for a character, as it is and escaped; itself as `\xNN` if it may have a meaning in a pattern or in nginx's configuration. */
function spellings(character: string): string[] {
  const codes = [...new Set([character.toLowerCase(), character.toUpperCase()])].map(one =>
    one.charCodeAt(0).toString(16),
  )
  const own = /\w/.test(character) ? character : `\\x${codes[0]}`
  return [own, ...codes.map(code => `%${code}`)]
}

const nextField = '", (?:subrequest|upstream|host|referrer): "'
const path = `((?:(?!${nextField})[^?])*)\\?`
// a client can write quotes, and nginx cuts a long message off
const request = new RegExp(`(, (?:sub)?request: ")${path}(?:.*( HTTP/\\d\\.\\d")|.*?(?=${nextField}|"$)|.*$)`, 'gs')
const url = new RegExp(`(, (?:upstream|referrer): ")${path}(?:.*?(?=${nextField}|"$)|.*$)`, 'gs')
const client = /(, client: )([^,\s"]+)/g

/** One of nginx's own messages without what `access_log.redact` names. */
export function redactMessage(message: string, redacted: readonly Redacted[]): string {
  let text = message
  if (redacted.includes('query'))
    text = text
      .replace(request, (_, head, before, end = '') => `${head}${before}${redactedQuery}${end}`)
      .replace(url, `$1$2${redactedQuery}`)
  for (const pattern of parameterPatterns(redacted))
    text = text.replace(
      new RegExp(`([?&;]${pattern})[^&]*?(?=&| HTTP/\\d\\.\\d"|${nextField}|"$|$)`, 'gis'),
      `$1${redactedValue}`,
    )
  return redacted.includes('remote_addr') ? text.replace(client, (_, head, address) => head + networkOf(address)) : text
}

/** Network of an address: without its last 8 bits (IPv4) or 80 bits (IPv6). */
export function networkOf(address: string): string {
  const ipv4 = /^(\d+\.\d+\.\d+)\.\d+$/.exec(address)?.[1]
  if (ipv4 !== undefined) return `${ipv4}.0`
  const ipv6 = /^([0-9a-f]+:[0-9a-f]+:[0-9a-f]+):/.exec(address)?.[1] ?? /^([0-9a-f:]*?)::/.exec(address)?.[1]
  return ipv6 === undefined ? '-' : `${ipv6}::`
}
