import type { CertificateFiles } from './certificate.ts'

const wellKnownPairs: CertificateFiles[] = [
  { chain: 'fullchain.pem', key: 'privkey.pem' },
  { chain: 'tls.crt', key: 'tls.key' },
  { chain: 'cert.pem', key: 'key.pem' },
]

/** Whether a file may be half of a pair, by its name. Changes of all other files are ignored. */
export function isOfInterest(name: string): boolean {
  return /\.(pem|crt|key)$/.test(name)
}

/** Names of files that need a counterpart; certificates of CAs need none. */
const isOfPair = /^(?!(ca|chain|root)\b).*\.(pem|crt|key)$/

/**
 * Pairs among the file names of a directory, best first: names used by certbot, Kubernetes and OpenSSL, then any NAME.pem or
 * NAME.crt with NAME.key. `unpaired` are the files whose counterpart is missing.
 */
export function findPairs(names: readonly string[]): { pairs: CertificateFiles[]; unpaired: string[] } {
  const present = new Set(names)
  const pairs = wellKnownPairs.filter(pair => present.has(pair.chain) && present.has(pair.key))
  for (const chain of [...names].sort()) {
    const base = /^(.+)\.(pem|crt)$/.exec(chain)?.[1]
    const key = `${base}.key`
    if (base && present.has(key) && !pairs.some(pair => pair.key === key)) pairs.push({ chain, key })
  }
  const used = new Set(pairs.flatMap(pair => [pair.chain, pair.key]))
  const unpaired = names.filter(name => isOfPair.test(name) && !used.has(name) && !used.has('fullchain.pem'))
  return { pairs, unpaired: unpaired.sort() }
}
