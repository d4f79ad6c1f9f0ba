import { messageOf } from '../../base/errors.ts'
import type { Runtime } from '../../base/runtime.ts'
import { createAcmeStore, namesIn } from '../acme/adapters/store.ts'
import type { AcmePlan } from '../acme/plan.ts'
import { type Acme, type AcmeDeps, createAcme, type RunningAcme } from '../acme/service.ts'
import type { Sharing } from '../acme/sharing.ts'
import type { UsableCertificate } from '../certificate.ts'
import { createGatekeeper } from './adapters/endpoint.ts'
import { registeredDomain } from './adapters/registered-domain.ts'
import { serveOnDemand } from './adapters/server.ts'
import { createOnDemand } from './admission.ts'
import { layOutOnDemand } from './layout.ts'
import { createOrderQuota } from './order-quota.ts'
import { type OnDemandKeys, onDemandDir, onDemandPaths } from './paths.ts'

/** Time for which a refusal of the endpoint is remembered, to limit its load. */
const endpointRefusedMs = 60_000

/** Dependencies that configured and on-demand certificates share. */
export type SharedAcmeDeps = Omit<AcmeDeps, 'store' | 'peers' | 'serve' | 'isStillWanted' | 'withdraw'> &
  Pick<Sharing, 'peersOf'>

/** Dependencies of on-demand certificates. */
export interface OnDemandDeps extends Pick<Runtime, 'clock' | 'log' | 'random'> {
  config: OnDemandKeys
  nginxUser: { gid: number } | undefined
  wanted: NonNullable<OnDemandKeys['tls']['on_demand']>
  /** Whether a host has a dynamic route. Rejects if that is unknown. */
  hasRoute(host: string): Promise<boolean>
}

/** Service of on-demand certificates. */
export interface OnDemandCertificates extends Acme {
  served: RunningAcme['onDemand']
  /** Stops listening; settles once no operation is running. */
  close(): Promise<void>
}

/** Starts to obtain certificates for names at their first handshake, and to renew them while they are allowed. */
export function startOnDemand(deps: OnDemandDeps, shared: SharedAcmeDeps): OnDemandCertificates {
  const { clock, log, random, config, nginxUser, wanted } = deps
  const certificatesDir = onDemandDir(config)
  const gatekeeper = wanted.ask === 'routes' ? { isAllowed: deps.hasRoute } : createGatekeeper(wanted.ask)
  const refusedMs = wanted.ask === 'routes' ? 0 : endpointRefusedMs
  const files = layOutOnDemand(deps)
  const limits = { all: wanted.orders_per_hour, perDomain: wanted.orders_per_domain }
  const takeOrder = createOrderQuota({ clock, log, limits, domainOf: registeredDomain })
  const store = createAcmeStore(certificatesDir)
  const settings = {
    ...shared.settings,
    plans: namesIn(certificatesDir).map((name): AcmePlan => ({ name, domains: [name] })),
  }
  const acme = createAcme({
    ...shared,
    settings,
    store,
    peers: shared.peersOf('on-demand', store, settings),
    async serve({ name }, { pem }) {
      files.write(name, pem)
      return { ok: true, message: `${name} is served` }
    },
    async isStillWanted({ name }, why) {
      if (!(await gatekeeper.isAllowed(name))) return false
      // due renewals do not count: they are few, and CAs exempt those in the window they suggest
      if (why === 'changed' && !takeOrder(name)) throw new Error('too many orders in the last hour (tls.on_demand)')
      return true
    },
    withdraw: ({ name }) => files.remove(name),
  })
  /** Has nginx serve it, if its file is missing because it had expired by a clock that was ahead at startup. */
  function valid(name: string): UsableCertificate | undefined {
    const found = acme.certificate(name)
    if (found && found.certificate.notAfter > clock.now() && !files.has(name)) files.write(name, found.pem)
    return found
  }
  const domainOf = registeredDomain
  const admission = { obtain: acme.obtain, certificate: valid }
  const admit = createOnDemand({ clock, log, random, gatekeeper, refusedMs, acme: admission, takeOrder, domainOf })
  const server = serveOnDemand({ path: onDemandPaths(config).socket, gid: nginxUser?.gid }, admit)
  server.catch((error: unknown) =>
    log.error('cannot listen for on-demand requests: names without a certificate are refused', {
      error: messageOf(error),
    }),
  )
  return {
    ...acme,
    served: () =>
      acme.status().flatMap(status => {
        const certificate = acme.certificate(status.name)
        return certificate ? [{ certificate, status }] : []
      }),
    async close() {
      const listening = await server.catch(() => undefined) // already logged
      await Promise.all([listening?.close(), acme.idle()])
    },
  }
}
