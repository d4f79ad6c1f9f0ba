import { formatDuration } from '../../base/duration.ts'
import { messageOf } from '../../base/errors.ts'
import type { Outcome } from '../../base/outcome.ts'
import type { Runtime } from '../../base/runtime.ts'
import type { UsableCertificate } from '../certificate.ts'
import { createAcmeLedger } from './ledger.ts'
import { type OrderDeps, obtainCertificate } from './order.ts'
import { AcmeError, type AcmePlan, type AcmeSettings, type AcmeStep, retryDelayMs, shortestKeepMs } from './plan.ts'
import { planRenewal } from './renewal.ts'

export interface AcmeDeps extends OrderDeps, Pick<Runtime, 'log' | 'random'> {
  settings: AcmeSettings
  /** Ends what is under way, and everything after it: nothing is ordered or noted any more. */
  signal: AbortSignal
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
  /** Settles when nothing is under way. */
  idle(): Promise<void>
}

/** One that ticks by itself. */
export interface RunningAcme extends Pick<Acme, 'renew' | 'status'> {
  /** Those that were obtained at the first handshake for a name, and how it stands with them. */
  onDemand(): { certificate: UsableCertificate; status: AcmeStatus }[]
  /** Ends it, an order that is under way too; settles when nothing of it runs any more. */
  close(): Promise<void>
}

/** Obtains certificates and renews them in time. Never touches the one that serves before there is a better one. */
export function createAcme(deps: AcmeDeps): Acme {
  const { clock, log, store, settings, signal } = deps
  const ledger = createAcmeLedger({ ...deps, keepsAnyway: deps.isStillWanted !== undefined })
  const { recordOf, note } = ledger
  let isBusy = false
  let last: Promise<unknown> = Promise.resolve()

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
    if (signal.aborted) return
    note(plan, { renewal: planRenewal({ certificate, previous, info, now: clock.now(), random: deps.random() }) })
  }

  async function stepNow(plan: AcmePlan): Promise<AcmeStep> {
    const certificate = ledger.certificateFor(plan)
    if (certificate && ledger.stepOf(plan).kind === 'ask') await askForWindow(plan, certificate)
    return ledger.stepOf(plan)
  }

  async function order(plan: AcmePlan, mode: RenewMode): Promise<Outcome> {
    if (signal.aborted) return ended(plan)
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
        onOrder: url => note(plan, { pendingOrder: url }),
      })
      issued = ledger.keep(plan, pem)
      if (present) note(plan, { retryAt: clock.now() + shortestKeepMs(issued.certificate) })
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
    log.info('certificate given up, it is not wanted any more', { names: plan.domains.join(',') })
    ledger.remove(plan)
    deps.withdraw?.(plan)
  }

  /** What ends with the service is no failure, and its order can be taken up again. */
  function ended({ name }: AcmePlan): Outcome {
    return { ok: false, message: `${name} not renewed`, reason: 'the ACME service was ended' }
  }

  function fail(plan: AcmePlan, error: unknown): Outcome {
    if (signal.aborted) return ended(plan)
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
    if (ledger.kept(plan.name)) log.warn('certificate not renewed, the old one stays', fields)
    else log.error('certificate not obtained', fields)
    return { ok: false, message: `${plan.name} not renewed`, reason }
  }

  function statusOf(plan: AcmePlan): AcmeStatus {
    const step = ledger.stepOf(plan)
    const { renewal, lastError, retryAt } = recordOf(plan)
    const base = { name: plan.name, domains: plan.domains, lastError }
    if (deps.isCovered(plan.domains)) return { ...base, nextAt: 0, why: 'a mounted certificate serves these names' }
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
          reason: `ACME is for ${names}, not for ${name}`,
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
