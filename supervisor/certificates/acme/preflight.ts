import type { Log } from '../../base/log.ts'
import type { Preflight } from './authority.ts'
import type { AcmePlan, AcmeSettings } from './plan.ts'

/**
 * Obstacle that would make a first order fail, found before it counts against the authority's limits: the certificate cannot be
 * stored, a name does not resolve, or another server responds on its port 80. An uncertain obstacle is only logged.
 */
export async function findObstacle(
  { domains }: AcmePlan,
  { challenge }: Pick<AcmeSettings, 'challenge'>,
  { preflight, log }: { preflight: Preflight; log: Log },
): Promise<string | undefined> {
  const storage = preflight.storage()
  if (storage !== undefined) return `${storage}: the certificate would be lost on the next restart`
  if (challenge === 'dns-01') return undefined // the name does not have to resolve
  for (const domain of domains) {
    const dns = await preflight.dns(domain)
    if (dns !== undefined) return `DNS: ${domain} has no address (${dns}); add an A or AAAA record for this machine`
  }
  if (challenge === 'tls-alpn-01') return undefined // port 443 serves visitors as well
  for (const domain of domains) {
    const { kind, detail } = await preflight.challenge(domain)
    const url = `http://${domain}/.well-known/acme-challenge/`
    if (kind === 'wrong')
      return `self-test: another server responds at ${url} (${detail}); make port 80 of ${domain} reach this machine, or skip this check: monohull cert renew ${domains[0]} --force`
    if (kind === 'unknown')
      log.warn('this machine cannot reach its own challenge, but the CA may be able to', { url, reason: detail })
  }
  return undefined
}
