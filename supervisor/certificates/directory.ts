import type { CertificateFiles } from './certificate.ts'

const wellKnownPairs: CertificateFiles[] = [
  { chain: 'fullchain.pem', key: 'privkey.pem' },
  { chain: 'tls.crt', key: 'tls.key' },
  { chain: 'cert.pem', key: 'key.pem' },
]

/** Whether a file, by its name, may be half of a pair; others may be written all the time. */
export function isOfInterest(name: string): boolean {
  return /\.(pem|crt|key)$/.test(name)
}

/** What should have a partner; certificates of CAs have none. */
const isOfPair = /^(?!(ca|chain|root)\b).*\.(pem|crt|key)$/

/** Pairs in the names of a folder, best first: certbot's, Kubernetes', OpenSSL's usual names, then any NAME.pem or NAME.crt with NAME.key. */
export function findPairs(names: readonly string[]): { pairs: CertificateFiles[]; lonely: string[] } {
  const present = new Set(names)
  const pairs = wellKnownPairs.filter(pair => present.has(pair.chain) && present.has(pair.key))
  for (const chain of [...names].sort()) {
    const base = /^(.+)\.(pem|crt)$/.exec(chain)?.[1]
    const key = `${base}.key`
    if (base && present.has(key) && !pairs.some(pair => pair.key === key)) pairs.push({ chain, key })
  }
  const used = new Set(pairs.flatMap(pair => [pair.chain, pair.key]))
  const lonely = names.filter(name => isOfPair.test(name) && !used.has(name) && !used.has('fullchain.pem'))
  return { pairs, lonely: lonely.sort() }
}
