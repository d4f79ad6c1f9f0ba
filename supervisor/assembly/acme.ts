import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createAccountStore } from '../adapters/acme-account.ts'
import { createDnsSolver, createHttpSolver } from '../adapters/acme-challenges.ts'
import { createAcmeClient } from '../adapters/acme-client.ts'
import { createKeyMaker } from '../adapters/acme-keys.ts'
import { createPreflight } from '../adapters/acme-preflight.ts'
import { createAcmeStore } from '../adapters/acme-store.ts'
import { runAt } from '../adapters/cron.ts'
import { findTransience } from '../adapters/mounts.ts'
import { systemClock } from '../base/clock.ts'
import { messageOf } from '../base/errors.ts'
import type { AcmeSettings } from '../domain/acme.ts'
import { covers } from '../domain/certificate-choice.ts'
import { createAcme, type RunningAcme } from '../services/acme.ts'
import { findObstacle } from '../services/acme-preflight.ts'
import { acmeFolder, challengeFolder, dnsHookFolder } from './acme-settings.ts'
import { type SharedAcmeDeps, startOnDemand } from './on-demand.ts'
import type { Parts } from './parts.ts'

/** Often enough to honour what the CA says about when to try again. */
const everyTenSeconds = '*/10 * * * * *'

/** Obtains certificates and renews them, in the background: what serves meanwhile serves on, whatever happens. */
export function startAcme(parts: Parts, settings: AcmeSettings): RunningAcme {
  const { log } = parts
  const { config, apps } = parts.settings
  const challenges = challengeFolder(config) ?? join(config.run_dir, 'acme-challenge')
  const keys = createKeyMaker(config.run_dir)
  const preflight = createPreflight(config.state_dir, challenges)
  const account = createAccountStore(join(config.state_dir, 'acme/accounts'), settings.directory, { keys, log })
  const ca = settings.caFile === undefined ? undefined : readFileSync(settings.caFile, 'utf8')

  const transience = findTransience(config.state_dir)
  if (transience)
    log.warn('certificates from the CA will be lost with this container', {
      reason: `state_dir ${config.state_dir} ${transience}`,
      fix: `mount a volume there, or a restart orders them anew, which CAs limit: -v monohull-state:${config.state_dir}`,
    })

  const shared: SharedAcmeDeps = {
    client: createAcmeClient({ settings, ca, account, now: systemClock.now }),
    solver:
      settings.challenge === 'dns-01'
        ? createDnsSolver(settings.dnsHook ?? [], dnsHookFolder(apps))
        : createHttpSolver(challenges),
    keys,
    clock: systemClock,
    random: Math.random,
    log,
    settings,
    preflight: plan => findObstacle(plan, settings, { preflight, log }),
    isCovered: domains =>
      domains.every(domain =>
        parts.certificates?.kept.some(({ source, certificate }) => source === 'mounted' && covers(certificate, domain)),
      ),
  }
  const acme = createAcme({
    ...shared,
    store: createAcmeStore(acmeFolder(config)),
    serve: () => parts.command({ type: 'refreshCertificates' }, 'ACME'),
  })
  const onDemand = config.tls.on_demand && startOnDemand(parts, shared)
  const look = () => {
    for (const each of onDemand ? [acme, onDemand] : [acme])
      each.tick().catch((error: unknown) => log.error('cannot look after certificates', { error: messageOf(error) }))
  }
  const cancel = runAt(everyTenSeconds, look)
  look()
  return {
    renew: (name, mode) => (onDemand?.certificate(name) ? onDemand : acme).renew(name, mode),
    status: acme.status,
    onDemand: () => onDemand?.served() ?? [],
    close() {
      cancel()
      onDemand?.close()
    },
  }
}
