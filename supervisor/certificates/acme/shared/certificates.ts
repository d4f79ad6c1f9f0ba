import { createHash } from 'node:crypto'
import type { Clock } from '../../../base/clock.ts'
import { messageOf } from '../../../base/errors.ts'
import type { Log } from '../../../base/log.ts'
import type { HeldLock, SharedRecord, SharedState } from '../../../shared-state/state.ts'
import type { UsableCertificate } from '../../certificate.ts'
import type { AcmeStore, Claim, Peers } from '../authority.ts'
import {
  type AcmePlan,
  type AcmeRecord,
  type AcmeSettings,
  directoryNameOf,
  isIssuedFor,
  specOf,
  UnsharedError,
} from '../plan.ts'

const dayMs = 86_400_000
/** Time for which the state of an order, or an expired certificate, is kept. */
const keptMs = 30 * dayMs

/** State of a certificate, as instances share it. */
interface Bundle {
  record: AcmeRecord
  pendingKey?: string | undefined
  certificate?: { chain: string; key: string } | undefined
}

/** Dependencies of shared certificates. */
export interface SharedCertificatesDeps {
  state: SharedState
  clock: Pick<Clock, 'now'>
  log: Log
  /** Store of this instance, which has what was read last if Redis is unavailable. */
  store: AcmeStore
  settings: AcmeSettings
  /** Start of the names of records. */
  prefix: string
  /** Called when the store has something new of another instance. */
  onNews(): Promise<unknown>
}

/** Certificates that several instances share. */
export interface SharedCertificates extends Peers {
  /**
   * Brings the store up to date with what is shared of these plans, and shares what only this instance has. Plans are followed from then on. Rejects
   * while that is impossible.
   */
  sync(plans: readonly AcmePlan[]): Promise<void>
  close(): void
}

/**
 * Certificates whose state is one sealed record each: the ACME record, the key of an order in progress, and the certificate with its key. Instances with
 * other settings for a name, as during an update, have another record. See docs/decisions/084-acme-in-shared-state.md.
 */
export function createSharedCertificates(deps: SharedCertificatesDeps): SharedCertificates {
  const { state, store, settings, clock, log } = deps
  /** Plans by the names of their records. */
  const followed = new Map<string, AcmePlan>()
  /** Versions of the records that the store has. */
  const versions = new Map<string, number>()
  const claimed = new Set<string>()

  function nameOf(plan: AcmePlan): string {
    const hash = createHash('sha256').update(specOf(plan, settings)).digest('hex').slice(0, 16)
    return `${deps.prefix}${directoryNameOf(plan.name)}/${hash}`
  }

  /** Certificate in the store, if it was issued for the settings. */
  function issuedOf(plan: AcmePlan, record: AcmeRecord): UsableCertificate | undefined {
    const found = store.current(plan.name, record.issued)
    return found && isIssuedFor(record, found.certificate) ? found : undefined
  }

  /** Writes what another instance shared to the store; false if the store has it. */
  function take(plan: AcmePlan, name: string, { value, version }: SharedRecord): boolean {
    if (versions.get(name) === version) return false
    const { record, pendingKey, certificate } = JSON.parse(state.unseal(name, value)) as Bundle
    if (certificate && !issuedOf(plan, record)) store.save(plan.name, certificate, () => undefined)
    store.savePendingKey(plan.name, pendingKey)
    // last: its change is what others look at
    store.saveRecord(plan.name, record)
    versions.set(name, version)
    return true
  }

  async function share(plan: AcmePlan, lock: HeldLock, version?: number): Promise<void> {
    const record = store.record(plan.name)
    if (record?.spec !== specOf(plan, settings)) return
    const issued = issuedOf(plan, record)
    const bundle: Bundle = { record, pendingKey: store.pendingKey(plan.name), certificate: issued?.pem }
    const ttlMs = Math.max(0, (issued?.certificate.notAfter ?? 0) - clock.now()) + keptMs
    const sealed = state.seal(lock.name, JSON.stringify(bundle))
    const result = await state.write(lock.name, sealed, { lock, version, ttlMs }).catch((error: unknown) => {
      throw new UnsharedError(`the shared state is unavailable: ${messageOf(error)}`, { cause: error })
    })
    if (result.kind === 'lost') throw new UnsharedError('the lock of the order is lost: another instance may have it')
    if (result.kind === 'written') versions.set(lock.name, result.version)
  }

  /** Shares a certificate that was obtained before there was a shared state, or before Redis lost it. */
  async function offer(plan: AcmePlan, name: string): Promise<void> {
    const record = store.record(plan.name)
    if (record?.spec !== specOf(plan, settings)) return
    const issued = issuedOf(plan, record)
    if (!issued || issued.certificate.notAfter <= clock.now()) return
    await state.withLock(name, lock => share(plan, lock, 0))
  }

  async function syncOne(plan: AcmePlan): Promise<boolean> {
    const name = nameOf(plan)
    followed.set(name, plan)
    if (claimed.has(name)) return false
    const found = await state.read(name)
    if (claimed.has(name)) return false
    if (found) return take(plan, name, found)
    await offer(plan, name)
    return false
  }

  async function sync(plans: readonly AcmePlan[]): Promise<void> {
    const results = await Promise.allSettled(plans.map(syncOne))
    if (results.some(result => result.status === 'fulfilled' && result.value)) await deps.onNews()
    const failed = results.find(result => result.status === 'rejected')
    if (failed) throw failed.reason
  }

  function syncLater(plans: readonly AcmePlan[]): void {
    sync(plans).catch((error: unknown) =>
      log.warn('cannot read shared certificates, trying again later', { reason: messageOf(error) }),
    )
  }

  const unwatch = state.watch(deps.prefix, name =>
    syncLater(name === undefined ? [...followed.values()] : [followed.get(name) ?? []].flat()),
  )

  return {
    exist: () => true,
    async claim(plan): Promise<Claim | undefined> {
      const name = nameOf(plan)
      followed.set(name, plan)
      const lock = await state.acquire(name)
      if (!lock) return undefined
      claimed.add(name)
      log.debug('shared certificate locked by this instance', { name: plan.name, token: lock.token })
      let isLost = false
      const release = async () => {
        claimed.delete(name)
        await lock.release()
        // what the next holder has done meanwhile was not read
        if (isLost || lock.signal.aborted) syncLater([plan])
      }
      try {
        const found = await state.read(name)
        if (found) take(plan, name, found)
      } catch (error) {
        await release()
        throw error
      }
      return {
        signal: lock.signal,
        release,
        async share() {
          // until it has succeeded
          isLost = true
          await share(plan, lock)
          isLost = false
        },
      }
    },
    sync,
    close: unwatch,
  }
}
