import { isHostName } from '../../base/host-name.ts'

/**
 * The host name that a client asks for, in lower case; undefined when no public CA would issue for it: a single label, an
 * address, or no host name at all. What is returned can be the name of a file.
 */
export function readHostName(text: string): string | undefined {
  const name = text.toLowerCase()
  return isHostName(name) && !/[*_]/.test(name) && /\.[a-z][^.]*$/.test(name) ? name : undefined
}
