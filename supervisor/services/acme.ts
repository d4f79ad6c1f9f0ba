import { formatDuration } from '../base/duration.ts'
import { messageOf } from '../base/errors.ts'
import {
  AcmeError,
  type AcmePlan,
  type AcmeRecord,
  type AcmeSettings,
  type AcmeStep,
  isIssuedFor,
  newRecord,
  nextStep,
  recall,
  retryDelayMs,
  shortestKeepMs,
  wishOf,
} from '../domain/acme.ts'
import { planRenewal } from '../domain/acme-renewal.ts'
import type { UsableCertificate } from '../domain/certificate.ts'
import type { Outcome } from '../domain/command.ts'
import type { Surroundings } from '../domain/ports.ts'
import { type OrderDeps, obtainCertificate } from './acme-order.ts'

export interface AcmeDeps extends OrderDeps, Pick<Surroundings, 'log' | 'random'> {
  settings: AcmeSettings
  /** Why a first order cannot work, or undefined. */
  preflight(plan: AcmePlan): Promise<string | undefined>
  /** Whether mounted certificates serve all of these names: then none is ordered. */
  isCovered(domains: readonly string[]): boolean
  /** Has what was issued served. */
  serve(plan: AcmePlan, issued: UsableCertificate): Promise<Outcome>
  /**
   * Whether a certificate is to be replaced, when that is due or the settings are others than it was ordered with; rejects when it
   * cannot be now. Default: it is. With it, a certificate serves on until it is replaced, whatever the settings.
   */
  isStillWanted?(plan: AcmePlan, why: 'due' | 'changed'): Promise<boolean>
  /** Has one that is not wanted any more served no longer. */
  withdraw?(plan: AcmePlan): void
}

/** How it stands with a certificate from the authority. */
export interface AcmeStatus {
  name: string
  domains: readonly string[]
  /** When something is done next, and why then. */
  nextAt: number
  why: string
  lastError: string | undefined
}

/** `due`: when the authority, asked anew, wants it; `forced`: now, without asking anybody whether it can work. */
export type RenewMode = 'due' | 'forced'

export interface Acme {
  /** Does what is due, for one certificate after the other; one that fails holds up none. Does nothing while it is busy. */
  tick(): Promise<void>
  renew(name: string, mode: RenewMode): Promise<Outcome>
  /** Obtains one that is not among the plans, and looks after it from then on; when that fails, nothing is kept of it. */
  obtain(plan: AcmePlan): Promise<Outcome>
  /** What is kept, expired or not. */
  certificate(name: string): UsableCertificate | undefined
  status(): AcmeStatus[]
}

/** One that ticks by itself. */
export interface RunningAcme extends Pick<Acme, 'renew' | 'status'> {
  /** Those that were obtained at the first handshake for a name, and how it stands with them. */
  onDemand(): { certificate: UsableCertificate; status: AcmeStatus }[]
  close(): void
}

/** Obtains certificates and renews them in time. Never touches the one that serves before there is a better one. */
export function createAcme(deps: AcmeDeps): Acme {
  const { clock, log, store, settings } = deps
  const plans = [...settings.plans]
  const records = new Map<string, AcmeRecord>()
  const kept = new Map<string, UsableCertificate>()
  let isBusy = false
  let last: Promise<unknown> = Promise.resolve()

  for (const plan of plans) {
    const wish = wishOf(plan, settings)
    const known = store.record(plan.name)
    const present = store.current(plan.name, known?.issued)
    const record = recall(plan, wish, { known, present: present?.certificate })
    const isOwn = present && record && isIssuedFor(record, present.certificate)
    const certificate = isOwn || deps.isStillWanted ? present : undefined
    records.set(plan.name, record ?? newRecord(certificate ? '' : wish))
    if (certificate) kept.set(plan.name, certificate)
  }

  const recordOf = ({ name }: AcmePlan) => records.get(name) ?? newRecord('')
  const isAsWished = (plan: AcmePlan) => recordOf(plan).wish === wishOf(plan, settings)
  const wishedFor = (plan: AcmePlan) => (isAsWished(plan) ? kept.get(plan.name) : undefined)
  const stepOf = (plan: AcmePlan) => nextStep(recordOf(plan), wishedFor(plan)?.certificate, clock.now())

  function note(plan: AcmePlan, change: Partial<AcmeRecord>): void {
    const record = { ...recordOf(plan), ...change }
    records.set(plan.name, record)
    try {
      store.saveRecord(plan.name, record)
    } catch (error) {
      log.debug('cannot remember how it stands with a certificate', { name: plan.name, error: messageOf(error) })
    }
  }

  /** One at a time, whoever asks. */
  function inTurn<T>(act: () => Promise<T>): Promise<T> {
    const done = last.then(act)
    last = done.catch(() => {}) // told to whoever asked
    return done
  }

  async function askForWindow(plan: AcmePlan, { certificate, pem }: UsableCertificate): Promise<void> {
    const id = deps.keys.certificateId(pem.chain)
    const { renewal: previous } = recordOf(plan)
    const asked = id === undefined ? undefined : deps.client.renewalInfo(id)
    const info = await asked?.catch((error: unknown) => {
      log.debug('the CA does not say when to renew', { name: plan.name, error: messageOf(error) })
      return undefined
    })
    note(plan, { renewal: planRenewal({ certificate, previous, info, now: clock.now(), random: deps.random() }) })
  }

  async function stepNow(plan: AcmePlan): Promise<AcmeStep> {
    const certificate = wishedFor(plan)
    if (certificate && stepOf(plan).kind === 'ask') await askForWindow(plan, certificate)
    return stepOf(plan)
  }

  async function order(plan: AcmePlan, mode: RenewMode): Promise<Outcome> {
    const present = kept.get(plan.name)
    const problem = present || mode === 'forced' ? undefined : await deps.preflight(plan)
    if (problem !== undefined) return fail(plan, new Error(problem))
    const { pendingOrder } = recordOf(plan)
    let issued: UsableCertificate
    try {
      const pem = await obtainCertificate(deps, {
        plan,
        settings,
        replaces: present && deps.keys.certificateId(present.pem.chain),
        pendingOrder,
        onOrder: url => note(plan, { pendingOrder: url }),
      })
      issued = store.save(plan.name, pem)
      kept.set(plan.name, issued)
      const retryAt = present ? clock.now() + shortestKeepMs(issued.certificate) : 0
      note(plan, { ...newRecord(wishOf(plan, settings)), issued: issued.certificate.id, retryAt })
      store.savePendingKey(plan.name, undefined)
      await askForWindow(plan, issued)
      log.info('certificate issued', { names: plan.domains.join(','), expires: iso(issued.certificate.notAfter) })
    } catch (error) {
      return fail(plan, error)
    }
    const served = await deps.serve(plan, issued)
    return served.ok ? { ok: true, message: `${plan.name} renewed` } : served
  }

  async function renewIfWanted(plan: AcmePlan): Promise<void> {
    try {
      const isWanted = (await deps.isStillWanted?.(plan, isAsWished(plan) ? 'due' : 'changed')) ?? true
      if (isWanted) await order(plan, 'due')
      else drop(plan)
    } catch (error) {
      fail(plan, error)
    }
  }

  function drop(plan: AcmePlan): void {
    log.info('certificate given up, it is not wanted any more', { names: plan.domains.join(',') })
    forget(plan)
    deps.withdraw?.(plan)
  }

  function forget(plan: AcmePlan): void {
    plans.splice(0, plans.length, ...plans.filter(({ name }) => name !== plan.name))
    records.delete(plan.name)
    kept.delete(plan.name)
    store.remove(plan.name)
  }

  function fail(plan: AcmePlan, error: unknown): Outcome {
    const failures = recordOf(plan).failures + 1
    const asked = error instanceof AcmeError ? error.retryAfterMs : undefined
    const delayMs = retryDelayMs(failures, asked, deps.random())
    const reason = messageOf(error)
    note(plan, { failures, retryAt: clock.now() + delayMs, lastError: reason })
    const fields = {
      names: plan.domains.join(','),
      reason,
      retry_in: formatDuration(Math.round(delayMs / 1000) * 1000),
    }
    if (kept.has(plan.name)) log.warn('certificate not renewed, the old one stays', fields)
    else log.error('certificate not obtained', fields)
    return { ok: false, message: `${plan.name} not renewed`, reason }
  }

  return {
    async tick() {
      if (isBusy) return
      isBusy = true
      try {
        for (const plan of [...plans]) {
          if (deps.isCovered(plan.domains)) continue
          await inTurn(async () => {
            if ((await stepNow(plan)).kind === 'order') await renewIfWanted(plan)
          })
        }
      } finally {
        isBusy = false
      }
    },
    renew(name, mode) {
      const plan = plans.find(each => each.name === name || each.domains.includes(name))
      if (!plan) {
        const names = plans.map(each => each.name).join(', ')
        return Promise.resolve({
          ok: false,
          message: 'nothing renewed',
          reason: `ACME is for ${names}, not for ${name}`,
        })
      }
      return inTurn(async () => {
        const certificate = wishedFor(plan)
        if (mode === 'due' && certificate) {
          await askForWindow(plan, certificate)
          const { renewal } = recordOf(plan)
          if (renewal && renewal.at > clock.now())
            return { ok: true, message: `${plan.name} is not due before ${iso(renewal.at)}: ${renewal.why}` }
        }
        return order(plan, mode)
      })
    },
    obtain(plan) {
      return inTurn(async () => {
        if (!plans.some(({ name }) => name === plan.name)) plans.push(plan)
        const outcome = await order(plan, 'due')
        if (!kept.has(plan.name)) forget(plan)
        return outcome
      })
    },
    certificate: name => kept.get(name),
    status() {
      return plans.map(plan => {
        const step = stepOf(plan)
        const { renewal, lastError } = recordOf(plan)
        const base = { name: plan.name, domains: plan.domains, lastError }
        if (deps.isCovered(plan.domains)) return { ...base, nextAt: 0, why: 'a mounted certificate serves these names' }
        if (renewal && kept.has(plan.name))
          return { ...base, nextAt: Math.max(renewal.at, recordOf(plan).retryAt), why: renewal.why }
        return { ...base, nextAt: step.kind === 'wait' ? step.until : clock.now(), why: 'why' in step ? step.why : '' }
      })
    },
  }
}

function iso(time: number): string {
  return new Date(time).toISOString()
}
