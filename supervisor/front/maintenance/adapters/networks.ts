import { isIP } from 'node:net'

const bitsOf: Record<number, number> = { 4: 32, 6: 128 }

/** Whether a text is an address or a network such as `10.0.0.0/8`. */
export function isNetwork(text: string): boolean {
  const [address = '', prefix, ...rest] = text.split('/')
  const bits = bitsOf[isIP(address)]
  if (bits === undefined || rest.length > 0 || address.includes('%')) return false
  return prefix === undefined || (/^(0|[1-9]\d{0,2})$/.test(prefix) && Number(prefix) <= bits)
}
