import type { CertificateFiles } from './certificate.ts'

/** Pairs by their usual names, best first: certbot, Kubernetes, OpenSSL, acme.sh, ZeroSSL, and Synology, which has one pair of each key type. */
const wellKnownPairs: CertificateFiles[] = [
  { chain: 'fullchain.pem', key: 'privkey.pem' },
  { chain: 'tls.crt', key: 'tls.key' },
  { chain: 'cert.pem', key: 'key.pem' },
  { chain: 'ecc-fullchain.pem', key: 'ecc-privkey.pem' },
  { chain: 'rsa-fullchain.pem', key: 'rsa-privkey.pem' },
  { chain: 'cert.pem', key: 'privkey.pem' },
  { chain: 'fullchain.cer', key: 'privkey.pem' },
  { chain: 'certificate.crt', key: 'private.key' },
]

const certificateName = /^(.+)\.(pem|crt|cer|cert)$/
/** Archives with certificate and key (PKCS#12). */
const archiveName = /\.(pfx|p12)$/i

/** Whether a file may be half of a pair, by its name. Changes of all other files are ignored. */
export function isOfInterest(name: string): boolean {
  return /\.(pem|crt|cer|cert|key|pfx|p12|pass)$/i.test(name)
}

/** Whether a file is an archive of a certificate and its key, by its name. */
export function isArchive(name: string): boolean {
  return archiveName.test(name)
}

/** File with the password of an archive, beside it. */
export function passwordFileOf(archive: string): string {
  return archive.replace(archiveName, '.pass')
}

/** Whether a file is a key, by its name. */
export function isKeyName(name: string): boolean {
  return /(\.key|^(priv)?key\.pem|[-_.](priv)?key\.pem)$/i.test(name)
}

/** Names of files that need a counterpart; certificates of CAs, requests and parameters need none. */
const isOfPair =
  /^(?!(ca|ca_bundle|ca-bundle|chain|(rsa|ecc)-chain|root|rootca|dhparams?|ssl-dhparams|csr)\b).*\.(pem|crt|cer|cert|key)$/i

/**
 * Pairs among the file names of a directory, best first: usual names, then any NAME.pem, NAME.crt or NAME.cer with NAME.key or
 * NAME-key.pem (mkcert). Letter case does not count. `unpaired` are the files whose counterpart is missing; each may contain both.
 */
export function findPairs(names: readonly string[]): { pairs: CertificateFiles[]; unpaired: string[] } {
  const byLower = new Map([...names].sort().map(name => [name.toLowerCase(), name]))
  const pairs: CertificateFiles[] = []
  const add = (chain: string | undefined, key: string | undefined) => {
    if (chain === undefined || key === undefined || pairs.some(pair => pair.key === key || pair.chain === chain)) return
    pairs.push({ chain, key })
  }
  for (const pair of wellKnownPairs) add(byLower.get(pair.chain), byLower.get(pair.key))
  const keys = [...byLower.keys()].filter(isKeyName)
  // acme.sh: fullchain.cer is the whole chain of NAME.cer, whose key is NAME.key
  if (keys.length === 1) add(byLower.get('fullchain.cer'), byLower.get(keys[0] ?? ''))
  for (const [lower, chain] of byLower) {
    const base = certificateName.exec(lower)?.[1]
    if (base === undefined || isKeyName(lower)) continue
    for (const key of [`${base}.key`, `${base}-key.pem`, `${base}_key.pem`, `${base}.key.pem`])
      add(chain, byLower.get(key))
  }
  const used = new Set(pairs.flatMap(pair => [pair.chain, pair.key]))
  const hasWhole = [...used].some(name => /^(rsa-|ecc-)?fullchain\.(pem|cer)$/i.test(name))
  const unpaired = names.filter(name => isOfPair.test(name) && !used.has(name) && !hasWhole)
  return { pairs, unpaired: unpaired.sort() }
}
