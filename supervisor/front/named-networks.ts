/** Networks by the names that a list of proxies may contain. */
const namedNetworks = {
  /** Source: https://www.cloudflare.com/ips, compared with public copies on 2026-11-30. */
  cloudflare: [
    '103.21.244.0/22',
    '103.22.200.0/22',
    '103.31.4.0/22',
    '104.16.0.0/13',
    '104.24.0.0/14',
    '108.162.192.0/18',
    '131.0.72.0/22',
    '141.101.64.0/18',
    '162.158.0.0/15',
    '172.64.0.0/13',
    '173.245.48.0/20',
    '188.114.96.0/20',
    '190.93.240.0/20',
    '197.234.240.0/22',
    '198.41.128.0/17',
    '2400:cb00::/32',
    '2405:8100::/32',
    '2405:b500::/32',
    '2606:4700::/32',
    '2803:f800::/32',
    '2a06:98c0::/29',
    '2c0f:f248::/32',
  ],
  /** Networks that no client on the Internet has an address in: RFC 1918, RFC 6598 (shared address space), RFC 4193, loopback. */
  private: ['10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '::1', 'fc00::/7'],
} as const

/** Name of a list of networks. */
type NetworkName = keyof typeof namedNetworks

/** Addresses and networks of a list, with those of its names, each once: nginx rejects a second one. */
export function expandNetworks(list: readonly string[]): string[] {
  return [...new Set(list.flatMap((item): readonly string[] => (isName(item) ? namedNetworks[item] : [item])))]
}

function isName(item: string): item is NetworkName {
  return Object.hasOwn(namedNetworks, item)
}
