import { isHostName } from '../../base/host-name.ts'

/**
 * Host name that a client requests, in lower case; undefined if no public CA would issue for it: a single label, an address, or not
 * a host name. The result is safe as a file name.
 */
export function readHostName(text: string): string | undefined {
  const name = text.toLowerCase()
  return isHostName(name) && !/[*_]/.test(name) && /\.[a-z][^.]*$/.test(name) ? name : undefined
}
