import { pause } from '../../../base/clock.ts'
import { messageOf } from '../../../base/errors.ts'
import type { Runtime } from '../../../base/runtime.ts'
import type { SharedState } from '../../../shared-state/state.ts'
import type { AcmePlan } from '../plan.ts'
import type { Sharing } from '../sharing.ts'
import { createSharedAccount } from './account.ts'
import { createSharedCertificates, type SharedCertificates } from './certificates.ts'
import { createSharedResponses } from './responses.ts'

/** Longest time for which readiness waits for the shared certificates. */
const firstSyncMs = 5000

/** Dependencies of the sharing. */
export interface SharingDeps extends Pick<Runtime, 'clock' | 'log'> {
  state: SharedState
  signal: AbortSignal
  /** Called when a store has something new of another instance; settles when that is served. */
  onNews(): Promise<unknown>
}

/** Sharing through Redis. Nothing is read before `begin`. */
export function shareInState(deps: SharingDeps): Sharing {
  const { state, clock, log, signal } = deps
  const all: { certificates: SharedCertificates; plans: readonly AcmePlan[] }[] = []

  return {
    responses: createSharedResponses({ state, log }),
    account: (local, directory) => createSharedAccount({ state, clock, signal, local, directory }),
    peersOf(kind, store, settings) {
      const prefix = `acme/${kind}/`
      const certificates = createSharedCertificates({ ...deps, store, settings, prefix })
      all.push({ certificates, plans: settings.plans })
      return certificates
    },
    async begin() {
      const synced = Promise.all(all.map(({ certificates, plans }) => certificates.sync(plans))).catch(
        (error: unknown) =>
          log.warn('cannot read shared certificates, using those in state_dir', { reason: messageOf(error) }),
      )
      await Promise.race([synced, pause(clock, firstSyncMs, signal).catch(() => {})])
    },
    close() {
      for (const { certificates } of all) certificates.close()
    },
  }
}
