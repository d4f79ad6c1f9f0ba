import { formatDuration } from '../../base/duration.ts'
import { messageOf } from '../../base/errors.ts'
import type { Outcome } from '../../base/outcome.ts'
import type { Runtime } from '../../base/runtime.ts'
import type { UsableCertificate } from '../certificate.ts'
import { createAcmeLedger } from './ledger.ts'
import { type OrderDeps, obtainCertificate } from './order.ts'
import { AcmeError, type AcmePlan, type AcmeSettings, type AcmeStep, minKeepMs, retryDelayMs } from './plan.ts'
import { planRenewal } from './renewal.ts'

/** Dependencies of the ACME service. */
export interface AcmeDeps extends OrderDeps, Pick<Runtime, 'log' | 'random'> {
  settings: AcmeSettings
  /** Aborts the current operation and all later ones: nothing more is ordered or recorded. */
  signal: AbortSignal
  /** Obstacle for a first order; undefined if none. */
  preflight(plan: AcmePlan): Promise<string | undefined>
  /** Whether mounted certificates cover all of these names, so that none is ordered. */
  isCovered(domains: readonly string[]): boolean
  /** Has nginx serve the issued certificate. */
  serve(plan: AcmePlan, issued: UsableCertificate): Promise<Outcome>
  /**
   * Whether to replace a certificate that is due, or was ordered with other settings. Rejects if that cannot be decided or done now.
   * Default: yes. If given, a certificate stays in use until it is replaced, whatever the settings.
   */
  isStillWanted?(plan: AcmePlan, why: 'due' | 'changed'): Promise<boolean>
  /** Stops serving a certificate that is no longer wanted. */
  withdraw?(plan: AcmePlan): void
}

/** Status of a planned certificate. */
export interface AcmeStatus {
  name: string
  domains: readonly string[]
  /** Time of the next step; milliseconds since the Unix epoch. 0: none. */
  nextAt: number
  why: string
  lastError: string | undefined
}

/** `due`: renews only if the authority, asked again, says that it is due. `forced`: renews now, without checks before the order. */
export type RenewMode = 'due' | 'forced'

/** Service that obtains and renews certificates. */
export interface Acme {
  /** Performs the steps that are due, one certificate at a time; a failure does not affect the others. Does nothing while a tick is running. */
  tick(): Promise<void>
  renew(name: string, mode: RenewMode): Promise<Outcome>
  /** Obtains a certificate for a new plan and renews it from then on. On failure, the plan is dropped. */
  obtain(plan: AcmePlan): Promise<Outcome>
  /** Stored certificate, expired or not. */
  certificate(name: string): UsableCertificate | undefined
  status(): AcmeStatus[]
  /** Settles once no operation is running. */
  idle(): Promise<void>
}

/** Running ACME service, which ticks by itself. */
export interface RunningAcme extends Pick<Acme, 'renew' | 'status'> {
  /** Certificates that were obtained on demand, with their status. */
  onDemand(): { certificate: UsableCertificate; status: AcmeStatus }[]
  /** Aborts any order and stops; settles once nothing is running. */
  close(): Promise<void>
}

/** Creates the service. A certificate in use is kept until its replacement is issued. */
export function createAcme(deps: AcmeDeps): Acme {
  const { clock, log, store, settings, signal } = deps
  const ledger = createAcmeLedger({ ...deps, keepsAnyway: deps.isStillWanted !== undefined })
  const { recordOf, update } = ledger
  let isBusy = false
  let last: Promise<unknown> = Promise.resolve()

  /** Runs operations one at a time. */
  function inTurn<T>(act: () => Promise<T>): Promise<T> {
    const done = last.then(act)
    last = done.catch(() => {}) // the caller gets the error
    return done
  }

  async function askForWindow(plan: AcmePlan, { certificate, pem }: UsableCertificate): Promise<void> {
    const id = deps.keys.certificateId(pem.chain)
    const { renewal: previous } = recordOf(plan)
    const asked = id === undefined ? undefined : deps.client.renewalInfo(id)
    const info = await asked?.catch((error: unknown) => {
      log.debug('the CA did not report when to renew', { name: plan.name, error: messageOf(error) })
      return undefined
    })
    if (signal.aborted) return
    update(plan, { renewal: planRenewal({ certificate, previous, info, now: clock.now(), random: deps.random() }) })
  }

  async function stepNow(plan: AcmePlan): Promise<AcmeStep> {
    const certificate = ledger.certificateFor(plan)
    if (certificate && ledger.stepOf(plan).kind === 'ask') await askForWindow(plan, certificate)
    return ledger.stepOf(plan)
  }

  async function order(plan: AcmePlan, mode: RenewMode): Promise<Outcome> {
    if (signal.aborted) return aborted(plan)
    const present = ledger.kept(plan.name)
    let issued: UsableCertificate
    try {
      const problem = present || mode === 'forced' ? undefined : await deps.preflight(plan)
      if (problem !== undefined) return fail(plan, new Error(problem))
      const { pendingOrder } = recordOf(plan)
      const pem = await obtainCertificate(deps, {
        plan,
        settings,
        replaces: present && deps.keys.certificateId(present.pem.chain),
        pendingOrder,
        onOrder: url => update(plan, { pendingOrder: url }),
      })
      issued = ledger.keep(plan, pem)
      if (present) update(plan, { retryAt: clock.now() + minKeepMs(issued.certificate) })
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
      const isWanted = (await deps.isStillWanted?.(plan, ledger.matchesSpec(plan) ? 'due' : 'changed')) ?? true
      if (isWanted) await order(plan, 'due')
      else drop(plan)
    } catch (error) {
      fail(plan, error)
    }
  }

  function drop(plan: AcmePlan): void {
    if (signal.aborted) return
    log.info('certificate dropped, it is no longer wanted', { names: plan.domains.join(',') })
    ledger.remove(plan)
    deps.withdraw?.(plan)
  }

  /** An operation aborted with the service does not count as a failure, and its order can be resumed. */
  function aborted({ name }: AcmePlan): Outcome {
    return { ok: false, message: `${name} not renewed`, reason: 'the ACME service was stopped' }
  }

  function fail(plan: AcmePlan, error: unknown): Outcome {
    if (signal.aborted) return aborted(plan)
    const failures = recordOf(plan).failures + 1
    const asked = error instanceof AcmeError ? error.retryAfterMs : undefined
    const delayMs = retryDelayMs(failures, asked, deps.random())
    const reason = messageOf(error)
    update(plan, { failures, retryAt: clock.now() + delayMs, lastError: reason })
    const fields = {
      names: plan.domains.join(','),
      reason,
      retry_in: formatDuration(Math.round(delayMs / 1000) * 1000),
    }
    if (ledger.kept(plan.name)) log.warn('certificate not renewed, the old one stays in use', fields)
    else log.error('certificate not obtained', fields)
    return { ok: false, message: `${plan.name} not renewed`, reason }
  }

  function statusOf(plan: AcmePlan): AcmeStatus {
    const step = ledger.stepOf(plan)
    const { renewal, lastError, retryAt } = recordOf(plan)
    const base = { name: plan.name, domains: plan.domains, lastError }
    if (deps.isCovered(plan.domains)) return { ...base, nextAt: 0, why: 'a mounted certificate covers these names' }
    if (renewal && ledger.kept(plan.name)) return { ...base, nextAt: Math.max(renewal.at, retryAt), why: renewal.why }
    return { ...base, nextAt: step.kind === 'wait' ? step.until : clock.now(), why: 'why' in step ? step.why : '' }
  }

  return {
    async tick() {
      if (isBusy) return
      isBusy = true
      try {
        for (const plan of ledger.plans()) {
          if (signal.aborted) return
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
      const plan = ledger.plans().find(each => each.name === name || each.domains.includes(name))
      if (!plan) {
        const names = ledger
          .plans()
          .map(each => each.name)
          .join(', ')
        return Promise.resolve({
          ok: false,
          message: 'nothing renewed',
          reason: `tls.acme has certificates for ${names}, not for ${name}`,
        })
      }
      return inTurn(async () => {
        const certificate = ledger.certificateFor(plan)
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
        ledger.add(plan)
        const outcome = await order(plan, 'due')
        if (!ledger.kept(plan.name)) ledger.remove(plan)
        return outcome
      })
    },
    certificate: ledger.kept,
    status: () => ledger.plans().map(statusOf),
    async idle() {
      await last
    },
  }
}

function iso(time: number): string {
  return new Date(time).toISOString()
}
