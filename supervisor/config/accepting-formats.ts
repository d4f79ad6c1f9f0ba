/** Thrown for a value that only zod can decide on. */
const doubt = Symbol('doubt')

const plainEmail = /^[a-z0-9]+(?:[._+-][a-z0-9]+)*@(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$/i

/** Whether a text is an email address; throws `doubt` unless it is a usual one. */
export function isEmail(value: string): boolean {
  if (plainEmail.test(value)) return true
  throw doubt
}

export function isIpv4(value: string): boolean {
  return /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/.test(value)
}

/** Whether a text is groups of hexadecimal digits, of which `::` replaces one or more; throws `doubt` for other forms. */
export function isIpv6(value: string): boolean {
  if (!value.includes(':')) return false
  const parts = value.split('::').map(part => (part === '' ? [] : part.split(':')))
  const groups = parts.flat()
  const isLong = parts.length === 1 && groups.length === 8
  const isShort = parts.length === 2 && groups.length < 8
  if ((isLong || isShort) && groups.every(group => /^[\da-f]{1,4}$/i.test(group))) return true
  throw doubt
}

/** Test for a network with an address that `isAddress` accepts and a prefix of at most `bits`. */
export function isNetwork(isAddress: (value: string) => boolean, bits: number): (value: string) => boolean {
  return value => {
    const [, address = '', prefix = ''] = /^([^/]+)\/(0|[1-9]\d{0,2})$/.exec(value) ?? []
    return isAddress(address) && Number(prefix) <= bits
  }
}
