import { isIpv6 } from '../base/address.ts'
import { isInNetwork } from '../base/network.ts'

/**
 * Networks that no target may be in: unspecified, link-local, multicast and reserved addresses, IPv6 addresses that contain an IPv4 address and
 * would bypass the rules for it, and every other address at which a cloud serves credentials to its machines.
 */
export const forbiddenNetworks = [
  '0.0.0.0/8',
  '169.254.0.0/16',
  '224.0.0.0/3',
  '100.100.100.200', // Alibaba Cloud
  '168.63.129.16', // Azure
  '192.0.0.192', // Oracle Cloud, in its first generation
  'fe80::/9', // and the former site-local addresses
  'ff00::/8',
  '64:ff9b::/32',
  '2001::/32',
  '2002::/16',
  'fd00:42::/32', // Scaleway
  'fd00:a9fe:a9fe::/48', // Akamai, formerly Linode
  'fd00:c1::/32', // Oracle Cloud
  'fd00:ec2::/32', // Amazon EC2 and EKS
  'fd20:ce::/32', // Google Cloud
]

/** Whether all of a network is forbidden, so that allowing it has no effect. */
export function isForbiddenNetwork(network: string): boolean {
  const [base = ''] = network.split('/')
  return forbiddenNetworks.some(one => isInNetwork(base, one) && lengthOf(network) >= lengthOf(one))
}

/** Bits of the prefix. */
function lengthOf(network: string): number {
  const [base = '', length] = network.split('/')
  return length === undefined ? (isIpv6(base) ? 128 : 32) : Number(length)
}
