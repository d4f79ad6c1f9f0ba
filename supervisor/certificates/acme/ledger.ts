import type { Clock } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import type { UsableCertificate } from '../certificate.ts'
import { findDefect } from './acceptance.ts'
import type { AcmeStore } from './authority.ts'
import {
  type AcmePlan,
  type AcmeRecord,
  type AcmeSettings,
  type AcmeStep,
  isCorrected,
  isIssuedFor,
  meansOf,
  newRecord,
  nextStep,
  recall,
  specOf,
} from './plan.ts'

/** Dependencies of the ledger. */
export interface AcmeLedgerDeps {
  clock: Pick<Clock, 'now'>
  log: Log
  store: AcmeStore
  settings: AcmeSettings
  /** Whether a certificate ordered with other settings stays in use until it is replaced. */
  keepsAnyway: boolean
}

/** Planned certificates of an authority, with a record of each. */
export interface AcmeLedger {
  plans(): readonly AcmePlan[]
  has(plan: AcmePlan): boolean
  /** Adds a plan, with what the store has for it. */
  add(plan: AcmePlan): void
  /** Removes a plan and everything stored for it. */
  remove(plan: AcmePlan): void
  /** Reads the store again, which another instance may have changed; true if it has another certificate. */
  reread(plan: AcmePlan): boolean
  /** Whether another instance changed the record since it was read or written here. */
  isChanged(plan: AcmePlan): boolean
  recordOf(plan: AcmePlan): AcmeRecord
  /** Changes a record, also in the store if that is writable. */
  update(plan: AcmePlan, change: Partial<AcmeRecord>): void
  /** Lets plans try again at once whose last attempt failed on this machine. */
  forgive(): void
  /**
   * Stores the certificate issued for a plan, with a new record. Throws an AcmeError if clients would reject it. `now`: current time of
   * the authority.
   */
  keep(plan: AcmePlan, pem: { chain: string; key: string }, now: number): UsableCertificate
  /** Stored certificate, whatever settings it was ordered with, expired or not. */
  kept(name: string): UsableCertificate | undefined
  /** Whether the certificate was ordered with the current settings. */
  matchesSpec(plan: AcmePlan): boolean
  /** Stored certificate, if it was ordered with the current settings. */
  certificateFor(plan: AcmePlan): UsableCertificate | undefined
  /** Next step for a plan. */
  stepOf(plan: AcmePlan): AcmeStep
}

/** Ledger of the plans in the settings, with the certificates and records that the store has for them. */
export function createAcmeLedger({ clock, log, store, settings, keepsAnyway }: AcmeLedgerDeps): AcmeLedger {
  const plans = new Map<string, AcmePlan>()
  const records = new Map<string, AcmeRecord>()
  const kept = new Map<string, UsableCertificate>()
  const versions = new Map<string, number>()

  function read(plan: AcmePlan): void {
    const spec = specOf(plan, settings)
    versions.set(plan.name, store.version(plan.name))
    const known = store.record(plan.name)
    const present = store.current(plan.name, known?.issued)
    const record = recall(plan, spec, { known, present: present?.certificate })
    const isOwn = present && record && isIssuedFor(record, present.certificate)
    const certificate = isOwn || keepsAnyway ? present : undefined
    const current = record ?? newRecord(certificate ? '' : spec)
    records.set(plan.name, isCorrected(current, meansOf(settings)) ? { ...current, retryAt: 0 } : current)
    if (certificate) kept.set(plan.name, certificate)
    else kept.delete(plan.name)
  }

  const ledger: AcmeLedger = {
    plans: () => [...plans.values()],
    has: ({ name }) => plans.has(name),
    add(plan) {
      if (plans.has(plan.name)) return
      plans.set(plan.name, plan)
      read(plan)
    },
    remove({ name }) {
      plans.delete(name)
      records.delete(name)
      kept.delete(name)
      versions.delete(name)
      store.remove(name)
    },
    reread(plan) {
      const before = kept.get(plan.name)
      const record = ledger.recordOf(plan)
      read(plan)
      // a directory that is lost takes nothing away that is in use
      if (before && store.version(plan.name) === 0) {
        records.set(plan.name, record)
        kept.set(plan.name, before)
      }
      return kept.get(plan.name)?.certificate.id !== before?.certificate.id
    },
    isChanged: ({ name }) => store.version(name) !== versions.get(name),
    recordOf: ({ name }) => records.get(name) ?? newRecord(''),
    update(plan, change) {
      const record = { ...ledger.recordOf(plan), ...change }
      records.set(plan.name, record)
      try {
        store.saveRecord(plan.name, record)
        versions.set(plan.name, store.version(plan.name))
      } catch (error) {
        log.debug('cannot store the record of a certificate', { name: plan.name, error: messageOf(error) })
      }
    },
    forgive() {
      for (const [name, record] of records)
        if (record.failures > 0 && record.failedBy === 'machine') records.set(name, { ...record, retryAt: 0 })
    },
    keep(plan, pem, now) {
      const present = kept.get(plan.name)
      const issued = store.save(plan.name, pem, found => findDefect({ plan, issued: found, present, now }))
      kept.set(plan.name, issued)
      ledger.update(plan, { ...newRecord(specOf(plan, settings)), issued: issued.certificate.id })
      return issued
    },
    kept: name => kept.get(name),
    matchesSpec: plan => ledger.recordOf(plan).spec === specOf(plan, settings),
    certificateFor: plan => (ledger.matchesSpec(plan) ? kept.get(plan.name) : undefined),
    stepOf: plan => nextStep(ledger.recordOf(plan), ledger.certificateFor(plan)?.certificate, clock.now()),
  }
  for (const plan of settings.plans) ledger.add(plan)
  return ledger
}
