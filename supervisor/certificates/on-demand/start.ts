import { messageOf } from '../../base/errors.ts'
import type { Runtime } from '../../base/runtime.ts'
import { createAcmeStore, namesIn } from '../acme/adapters/store.ts'
import type { AcmePlan } from '../acme/plan.ts'
import { type Acme, type AcmeDeps, createAcme, type RunningAcme } from '../acme/service.ts'
import { createGatekeeper } from './adapters/endpoint.ts'
import { registeredDomain } from './adapters/registered-domain.ts'
import { serveOnDemand } from './adapters/server.ts'
import { createOnDemand } from './admission.ts'
import { layOutOnDemand } from './layout.ts'
import { createOrderQuota } from './order-quota.ts'
import { type OnDemandKeys, onDemandFolder, onDemandPlace } from './paths.ts'

/** An endpoint is spared another question. */
const endpointRefusedMs = 60_000

/** What the certificates of the configuration and those on demand have in common. */
export type SharedAcmeDeps = Omit<AcmeDeps, 'store' | 'serve' | 'isStillWanted' | 'withdraw'>

export interface OnDemandDeps extends Pick<Runtime, 'clock' | 'log' | 'random'> {
  config: OnDemandKeys
  nginxUser: { gid: number } | undefined
  wanted: NonNullable<OnDemandKeys['tls']['on_demand']>
  /** Whether a dynamic route is for a host; rejects when nobody can tell. */
  hasRoute(host: string): Promise<boolean>
}

export interface OnDemandCertificates extends Acme {
  served: RunningAcme['onDemand']
  /** Settles when nothing is under way. */
  close(): Promise<void>
}

/** Obtains certificates for names at their first handshake, and renews them while they are allowed. */
export function startOnDemand(deps: OnDemandDeps, shared: SharedAcmeDeps): OnDemandCertificates {
  const { clock, log, random, config, nginxUser, wanted } = deps
  const folder = onDemandFolder(config)
  // allowed is what a dynamic route is for
  const gatekeeper = wanted.ask === 'routes' ? { isAllowed: deps.hasRoute } : createGatekeeper(wanted.ask)
  const refusedMs = wanted.ask === 'routes' ? 0 : endpointRefusedMs
  const files = layOutOnDemand(deps)
  const limits = { all: wanted.orders_per_hour, perDomain: wanted.orders_per_domain }
  const takeOrder = createOrderQuota({ clock, log, limits, domainOf: registeredDomain })
  const acme = createAcme({
    ...shared,
    settings: { ...shared.settings, plans: namesIn(folder).map((name): AcmePlan => ({ name, domains: [name] })) },
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
  const admit = createOnDemand({ clock, log, random, gatekeeper, refusedMs, acme, takeOrder })
  const server = serveOnDemand({ path: onDemandPlace(config).socket, gid: nginxUser?.gid }, admit)
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
    async close() {
      const listening = await server.catch(() => undefined) // told already
      await Promise.all([listening?.close(), acme.idle()])
    },
  }
}
