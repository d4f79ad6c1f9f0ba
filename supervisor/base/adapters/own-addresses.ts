import { networkInterfaces } from 'node:os'

/** Whether an IP address belongs to this machine. */
export function isOfThisMachine(address: string): boolean {
  const own = Object.values(networkInterfaces()).flatMap(all => (all ?? []).map(one => one.address))
  return address.startsWith('127.') || own.includes(address)
}
