/** Name of what can be removed from lines. */
export type Redacted = 'query' | 'remote_addr'

/** Text in place of a query. */
export const redactedQuery = '?[redacted]'

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
  return redacted.includes('remote_addr') ? text.replace(client, (_, head, address) => head + networkOf(address)) : text
}

/** Network of an address: without its last 8 bits (IPv4) or 80 bits (IPv6). */
export function networkOf(address: string): string {
  const ipv4 = /^(\d+\.\d+\.\d+)\.\d+$/.exec(address)?.[1]
  if (ipv4 !== undefined) return `${ipv4}.0`
  const ipv6 = /^([0-9a-f]+:[0-9a-f]+:[0-9a-f]+):/.exec(address)?.[1] ?? /^([0-9a-f:]*?)::/.exec(address)?.[1]
  return ipv6 === undefined ? '-' : `${ipv6}::`
}
