const label = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/

/**
 * The host name that a client asks for, in lower case; undefined when no public CA would issue for it: a single label, an
 * address, or no host name at all. What is returned can be the name of a file.
 */
export function readHostName(text: string): string | undefined {
  const name = text.toLowerCase()
  const labels = name.split('.')
  const last = labels.at(-1) ?? ''
  const isName = labels.length >= 2 && name.length <= 253 && labels.every(part => label.test(part))
  return isName && /^[a-z]/.test(last) ? name : undefined
}
