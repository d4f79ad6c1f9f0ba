/** Whether an address belongs to a network such as `10.0.0.0/8`, or is equal to it if it is an address. Both have to be valid. */
export function isInNetwork(address: string, network: string): boolean {
  return networkMatcher([network])(address)
}

/** Function that tells whether an address is in one of some networks, for many addresses. */
export function networkMatcher(networks: readonly string[]): (address: string) => boolean {
  const prefixes = networks.map(prefixOf)
  return address => {
    const bits = bitsOf(address)
    return prefixes.some(({ width, prefix }) => bits.length === width && bits.startsWith(prefix))
  }
}

/** Binary digits with which the addresses of a network begin, and how many each address has. */
export function prefixOf(network: string): { width: number; prefix: string } {
  const [base = '', length] = network.split('/')
  const bits = bitsOf(base)
  return { width: bits.length, prefix: bits.slice(0, length === undefined ? bits.length : Number(length)) }
}

/** The address as a text of 32 or 128 binary digits. */
function bitsOf(address: string): string {
  return address.includes(':')
    ? groupsOf(address)
        .map(group => toBits(Number.parseInt(group, 16), 16))
        .join('')
    : ipv4Bits(address)
}

const octets = Array.from({ length: 256 }, (_, octet) => toBits(octet, 8))

function ipv4Bits(address: string): string {
  return address
    .split('.')
    .map(part => octets[Number(part)])
    .join('')
}

/** The eight groups of an IPv6 address, in hexadecimal. */
function groupsOf(address: string): string[] {
  // an IPv4 address at the end stands for two groups
  const plain = address.replace(/[\d.]*\.[\d.]*$/, ipv4 => {
    const bits = ipv4Bits(ipv4)
    return [bits.slice(0, 16), bits.slice(16)].map(half => Number.parseInt(half, 2).toString(16)).join(':')
  })
  const [before = '', after] = plain.split('::')
  const [head, tail] = [before, after ?? ''].map(part => part.split(':').filter(Boolean)) as [string[], string[]]
  return after === undefined ? head : [...head, ...Array<string>(8 - head.length - tail.length).fill('0'), ...tail]
}

function toBits(value: number, width: number): string {
  return value.toString(2).padStart(width, '0')
}
