import { createAcmeStore, namesIn } from '../adapters/acme-store.ts'
import { createGatekeeper } from '../adapters/ask-endpoint.ts'
import { registeredDomain } from '../adapters/registered-domain.ts'
import { serveOnDemand } from '../admin/on-demand.ts'
import { systemClock } from '../base/clock.ts'
import { messageOf } from '../base/errors.ts'
import type { AcmePlan } from '../domain/acme.ts'
import type { Gatekeeper } from '../domain/acme-ports.ts'
import { type Acme, type AcmeDeps, createAcme, type RunningAcme } from '../services/acme.ts'
import { createOnDemand } from '../services/on-demand.ts'
import { createOrderQuota } from '../services/order-quota.ts'
import { layOutOnDemand } from './on-demand-files.ts'
import { onDemandFolder, onDemandPlace } from './on-demand-place.ts'
import type { Parts } from './parts.ts'

/** An endpoint is spared another question. */
const endpointRefusedMs = 60_000

/** What the certificates of the configuration and those on demand have in common. */
export type SharedAcmeDeps = Omit<AcmeDeps, 'store' | 'serve' | 'isStillWanted' | 'withdraw'>

export interface OnDemandCertificates extends Acme {
  served: RunningAcme['onDemand']
  close(): void
}

/** Obtains certificates for names at their first handshake, and renews them while they are allowed. */
export function startOnDemand(parts: Parts, deps: SharedAcmeDeps): OnDemandCertificates {
  const { log, settings } = parts
  const { config } = settings
  const { on_demand: wanted } = config.tls
  const place = onDemandPlace(config)
  if (!wanted || !place) throw new Error('cannot start tls.on_demand without its settings')
  const folder = onDemandFolder(config)
  const gatekeeper = wanted.ask === 'routes' ? askRoutes(parts) : createGatekeeper(wanted.ask)
  const refusedMs = wanted.ask === 'routes' ? 0 : endpointRefusedMs
  const files = layOutOnDemand(settings)
  const limits = { all: wanted.orders_per_hour, perDomain: wanted.orders_per_domain }
  const takeOrder = createOrderQuota({ clock: systemClock, log, limits, domainOf: registeredDomain })
  const acme = createAcme({
    ...deps,
    settings: { ...deps.settings, plans: namesIn(folder).map((name): AcmePlan => ({ name, domains: [name] })) },
    store: createAcmeStore(folder),
    async serve({ name }, { pem }) {
      files.write(name, pem)
      return { ok: true, message: `${name} is served` }
    },
    async isStillWanted({ name }, why) {
      if (!(await gatekeeper.isAllowed(name))) return false
      // renewals are few, and CAs that suggest when do not count them
      if (why === 'changed' && !takeOrder(name)) throw new Error('too many orders in this hour (tls.on_demand)')
      return true
    },
    withdraw: ({ name }) => files.remove(name),
  })
  const admit = createOnDemand({ clock: systemClock, log, random: Math.random, gatekeeper, refusedMs, acme, takeOrder })
  const server = serveOnDemand({ path: place.socket, gid: settings.nginxUser?.gid }, admit)
  server.catch((error: unknown) =>
    log.error('names without a certificate are refused: nobody listens for them', { error: messageOf(error) }),
  )
  return {
    ...acme,
    served: () =>
      acme.status().flatMap(status => {
        const certificate = acme.certificate(status.name)
        return certificate ? [{ certificate, status }] : []
      }),
    close() {
      server.then(
        listening => listening.close(),
        () => {}, // told already
      )
    },
  }
}

/** Allowed is what a dynamic route is for. */
function askRoutes({ dynamicRoutes }: Parts): Gatekeeper {
  return {
    async isAllowed(name) {
      if (!dynamicRoutes) throw new Error('cannot ask dynamic_routes: there are none')
      return (await dynamicRoutes.find(name)).target !== undefined
    },
  }
}
