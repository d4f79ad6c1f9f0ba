import type { Log } from '../../base/log.ts'
import type { Preflight } from './authority.ts'
import type { AcmePlan, AcmeSettings } from './plan.ts'

/**
 * Looks for what would make a first order fail, before it counts against the authority's limits: no place to keep the
 * certificate, a name that leads nowhere, somebody else on its port 80. What is only likely is a warning.
 */
export async function findObstacle(
  { domains }: AcmePlan,
  { challenge }: Pick<AcmeSettings, 'challenge'>,
  { preflight, log }: { preflight: Preflight; log: Log },
): Promise<string | undefined> {
  const storage = preflight.storage()
  if (storage !== undefined) return `${storage}: the certificate would be lost with the next start`
  if (challenge === 'dns-01') return undefined // the name need not lead here, nor anywhere
  for (const domain of domains) {
    const dns = await preflight.dns(domain)
    if (dns !== undefined) return `DNS: ${domain} has no address (${dns}); add an A or AAAA record that leads here`
  }
  for (const domain of domains) {
    const { kind, detail } = await preflight.challenge(domain)
    const url = `http://${domain}/.well-known/acme-challenge/`
    if (kind === 'wrong')
      return `self-test: ${url} is answered by somebody else (${detail}); have port 80 of ${domain} lead here, or order regardless: monohull cert renew ${domains[0]} --force`
    if (kind === 'unknown')
      log.warn('this machine cannot see its own challenge, perhaps the CA can', { url, reason: detail })
  }
  return undefined
}
