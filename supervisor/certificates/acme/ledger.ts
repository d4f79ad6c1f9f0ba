import type { Clock } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import type { UsableCertificate } from '../certificate.ts'
import type { AcmeStore } from './authority.ts'
import {
  type AcmePlan,
  type AcmeRecord,
  type AcmeSettings,
  type AcmeStep,
  isIssuedFor,
  newRecord,
  nextStep,
  recall,
  specOf,
} from './plan.ts'

export interface AcmeLedgerDeps {
  clock: Pick<Clock, 'now'>
  log: Log
  store: AcmeStore
  settings: AcmeSettings
  /** Whether a certificate that was ordered with other settings serves on until it is replaced. */
  keepsAnyway: boolean
}

/** The certificates that an authority is asked for, and what is remembered of each. */
export interface AcmeLedger {
  plans(): readonly AcmePlan[]
  add(plan: AcmePlan): void
  /** Removes a plan and all that is kept of it. */
  remove(plan: AcmePlan): void
  recordOf(plan: AcmePlan): AcmeRecord
  /** Remembers a change, in the store too as far as that can be written. */
  note(plan: AcmePlan, change: Partial<AcmeRecord>): void
  /** Keeps what was issued for a plan, with a new record. */
  keep(plan: AcmePlan, pem: { chain: string; key: string }): UsableCertificate
  /** Certificate that is kept, whatever it was ordered with, expired or not. */
  kept(name: string): UsableCertificate | undefined
  /** Whether the certificate was ordered with the settings of now. */
  matchesSpec(plan: AcmePlan): boolean
  /** Certificate that is kept, when it matches the settings of now. */
  certificateFor(plan: AcmePlan): UsableCertificate | undefined
  /** What to do now. */
  stepOf(plan: AcmePlan): AcmeStep
}

/** A ledger that begins with what the store has for the plans of the settings. */
export function createAcmeLedger({ clock, log, store, settings, keepsAnyway }: AcmeLedgerDeps): AcmeLedger {
  let plans = [...settings.plans]
  const records = new Map<string, AcmeRecord>()
  const kept = new Map<string, UsableCertificate>()

  for (const plan of plans) {
    const spec = specOf(plan, settings)
    const known = store.record(plan.name)
    const present = store.current(plan.name, known?.issued)
    const record = recall(plan, spec, { known, present: present?.certificate })
    const isOwn = present && record && isIssuedFor(record, present.certificate)
    const certificate = isOwn || keepsAnyway ? present : undefined
    records.set(plan.name, record ?? newRecord(certificate ? '' : spec))
    if (certificate) kept.set(plan.name, certificate)
  }

  const ledger: AcmeLedger = {
    plans: () => plans,
    add(plan) {
      if (!plans.some(({ name }) => name === plan.name)) plans = [...plans, plan]
    },
    remove(plan) {
      plans = plans.filter(({ name }) => name !== plan.name)
      records.delete(plan.name)
      kept.delete(plan.name)
      store.remove(plan.name)
    },
    recordOf: ({ name }) => records.get(name) ?? newRecord(''),
    note(plan, change) {
      const record = { ...ledger.recordOf(plan), ...change }
      records.set(plan.name, record)
      try {
        store.saveRecord(plan.name, record)
      } catch (error) {
        log.debug('cannot remember how it stands with a certificate', { name: plan.name, error: messageOf(error) })
      }
    },
    keep(plan, pem) {
      const issued = store.save(plan.name, pem)
      kept.set(plan.name, issued)
      ledger.note(plan, { ...newRecord(specOf(plan, settings)), issued: issued.certificate.id })
      return issued
    },
    kept: name => kept.get(name),
    matchesSpec: plan => ledger.recordOf(plan).wish === specOf(plan, settings),
    certificateFor: plan => (ledger.matchesSpec(plan) ? kept.get(plan.name) : undefined),
    stepOf: plan => nextStep(ledger.recordOf(plan), ledger.certificateFor(plan)?.certificate, clock.now()),
  }
  return ledger
}
