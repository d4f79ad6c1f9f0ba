import { elementsIn, readExtension } from '../../base/der.ts'
import type { Scope } from '../x509.ts'

/** Object id 2.5.29.30, with tag and length. */
const nameConstraints = [0x06, 0x03, 0x55, 0x1d, 0x1e]
const permittedTag = 0xa0
const hostTag = 0x82
const addressTag = 0x87

/** Names that a CA may sign for, from the name constraints of its certificate in DER (RFC 5280, 4.2.1.10); empty without such constraints. */
export function permittedScope(certificate: Uint8Array): Scope {
  const constraints = readExtension(certificate, nameConstraints)
  const permitted = constraints && elementsIn(certificate, constraints).find(({ tag }) => tag === permittedTag)
  const names = permitted
    ? elementsIn(certificate, permitted).flatMap(subtree => elementsIn(certificate, subtree).slice(0, 1))
    : []
  const contents = (wanted: number) =>
    names.filter(({ tag }) => tag === wanted).map(({ start, end }) => certificate.slice(start, end))
  return {
    hosts: contents(hostTag).map(bytes => new TextDecoder().decode(bytes)),
    addresses: contents(addressTag).map(bytes => bytes.slice(0, bytes.length / 2)),
  }
}

/** Whether a CA of this scope may sign for all these names. A host in the scope includes all names below it. */
export function isWithin({ hosts, addresses }: Scope, wanted: Scope): boolean {
  const isPermitted = (host: string) => hosts.some(permitted => host === permitted || host.endsWith(`.${permitted}`))
  return (
    wanted.hosts.every(isPermitted) &&
    wanted.addresses.every(address => addresses.some(one => one.join() === address.join()))
  )
}
