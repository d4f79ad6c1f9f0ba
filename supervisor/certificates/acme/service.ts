import { messageOf } from '../../base/errors.ts'
import type { Outcome } from '../../base/outcome.ts'
import type { UsableCertificate } from '../certificate.ts'
import { type AttemptDeps, createAttempts } from './attempt.ts'
import { createAcmeLedger } from './ledger.ts'
import { type AcmePlan, retryTime } from './plan.ts'
import type { Turns, Urgency } from './turns.ts'

/** Dependencies of the ACME service. `signal` aborts everything: nothing more is ordered or recorded. */
export interface AcmeDeps extends AttemptDeps {
  /** Turns of the operations, shared by all services with this authority. */
  turns: Turns
  /** Whether mounted certificates cover all of these names, so that none is ordered. */
  isCovered(domains: readonly string[]): boolean
  /**
   * Whether to replace a certificate that is due, or was ordered with other settings. Rejects if that cannot be decided or done now.
   * Default: yes. If given, a certificate stays in use until it is replaced, whatever the settings, and a plan without one places
   * no order by itself.
   */
  isStillWanted?(plan: AcmePlan, why: 'due' | 'changed'): Promise<boolean>
  /** Stops serving a certificate that is no longer wanted. */
  withdraw?(plan: AcmePlan): void
}

/** Status of a planned certificate. */
export interface AcmeStatus {
  name: string
  domains: readonly string[]
  /** Time of the next step; milliseconds since the Unix epoch. Undefined: none. */
  nextAt: number | undefined
  why: string
  lastError: string | undefined
}

/** `due`: renews only if the authority, asked again, says that it is due. `forced`: renews now, without checks before the order. */
export type RenewMode = 'due' | 'forced'

/** Outcome of obtaining a certificate. */
export type ObtainOutcome = Outcome & {
  /** Time after which another attempt may succeed, in ms. */
  retryInMs?: number
}

/** Service that obtains and renews certificates. */
export interface Acme {
  /** Begins the steps that are due. Names do not wait for each other. Settles when these steps have ended. */
  tick(): Promise<void>
  renew(name: string, mode: RenewMode): Promise<Outcome>
  /**
   * Obtains a certificate for a new plan and renews it from then on. On failure, an order in progress is finished later; without
   * one, the plan is dropped after the time to retry.
   */
  obtain(plan: AcmePlan): Promise<ObtainOutcome>
  /** Lets names try again at once whose last attempt failed on this machine. */
  retry(): Promise<void>
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
  /** Lets names try again at once whose last attempt failed on this machine. */
  retry(): void
  /** Settles when what other instances have is served, within a few seconds in any case. */
  begun: Promise<void>
  /** Aborts any order and stops; settles once nothing is running. */
  close(): Promise<void>
}

/** Creates the service. A certificate in use is kept until its replacement is issued. */
export function createAcme(deps: AcmeDeps): Acme {
  const { clock, log, signal, turns } = deps
  const isOnDemand = deps.isStillWanted !== undefined
  const ledger = createAcmeLedger({ ...deps, keepsAnyway: isOnDemand })
  const attempts = createAttempts(deps, ledger)
  const { recordOf } = ledger
  /** Operations by the names of their plans: at most one for each. */
  const underway = new Map<string, Promise<Outcome | undefined>>()

  /** Runs an operation for a plan in its turn. */
  function begin<T extends Outcome | undefined>(
    { name }: AcmePlan,
    urgency: Urgency,
    act: () => Promise<T>,
  ): Promise<T> {
    const done = turns.take(urgency, act)
    const marked = done
      .catch(() => undefined) // the caller gets the error
      .finally(() => {
        if (underway.get(name) === marked) underway.delete(name)
      })
    underway.set(name, marked)
    return done
  }

  /** Joins the operation in progress for a plan if that is an order, and otherwise runs one after it. */
  async function joinOrBegin(plan: AcmePlan, act: () => Promise<Outcome>): Promise<Outcome> {
    for (let running = underway.get(plan.name); running; running = underway.get(plan.name)) {
      const outcome = await running
      if (outcome) return outcome
    }
    return begin(plan, 'awaited', act)
  }

  /** Whether another instance may have obtained a certificate for a plan. */
  const isChanged = (plan: AcmePlan) => deps.peers.exist() && ledger.isChanged(plan)

  /** Performs the step that is due for a plan. Undefined if that is no order. */
  async function step(plan: AcmePlan): Promise<Outcome | undefined> {
    if (signal.aborted || !ledger.has(plan)) return undefined
    const adopted = isChanged(plan) ? await attempts.adopt(plan) : undefined
    if (adopted) return adopted
    const certificate = ledger.certificateFor(plan)
    if (certificate && ledger.stepOf(plan).kind === 'ask') await askForWindow(plan, certificate)
    if (signal.aborted || ledger.stepOf(plan).kind !== 'order') return undefined
    if (isOnDemand && !ledger.kept(plan.name)) return finish(plan)
    try {
      const why = ledger.matchesSpec(plan) ? 'due' : 'changed'
      if (await (deps.isStillWanted?.(plan, why) ?? true)) return await attempts.make(plan, 'due')
      drop(plan)
      return undefined
    } catch (error) {
      return attempts.fail(plan, error)
    }
  }

  async function askForWindow(plan: AcmePlan, certificate: UsableCertificate): Promise<void> {
    await attempts.askForWindow(plan, certificate).catch((error: unknown) => {
      log.debug('cannot ask the CA when to renew', { name: plan.name, error: messageOf(error) })
    })
  }

  /** Finishes the order of a name that nobody waits for any more. Its next handshake places another one. */
  async function finish(plan: AcmePlan): Promise<Outcome | undefined> {
    if (recordOf(plan).pendingOrder !== undefined) return attempts.make(plan, 'resumed')
    ledger.remove(plan)
    deps.withdraw?.(plan)
    return undefined
  }

  function drop(plan: AcmePlan): void {
    if (signal.aborted) return
    log.info('certificate dropped, it is no longer wanted', { names: plan.domains.join(',') })
    ledger.remove(plan)
    deps.withdraw?.(plan)
  }

  async function tick(): Promise<void> {
    const now = clock.now()
    const due = ledger.plans().filter(plan => {
      if (signal.aborted || underway.has(plan.name) || deps.isCovered(plan.domains)) return false
      const next = ledger.stepOf(plan)
      return isChanged(plan) || next.kind !== 'wait' || next.until <= now
    })
    await Promise.all(due.map(plan => begin(plan, 'routine', () => step(plan))))
  }

  function statusOf(plan: AcmePlan): AcmeStatus {
    const next = ledger.stepOf(plan)
    const record = recordOf(plan)
    const { renewal, lastError, isForced } = record
    const base = { name: plan.name, domains: plan.domains, lastError }
    if (deps.isCovered(plan.domains))
      return { ...base, nextAt: undefined, why: 'a mounted certificate covers these names' }
    if (renewal && ledger.kept(plan.name))
      return {
        ...base,
        nextAt: Math.max(isForced ? 0 : renewal.at, retryTime(record, clock.now())),
        why: isForced ? 'a forced renewal failed' : renewal.why,
      }
    return { ...base, nextAt: next.kind === 'wait' ? next.until : clock.now(), why: 'why' in next ? next.why : '' }
  }

  return {
    tick,
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
          isUnknown: true,
        })
      }
      return joinOrBegin(plan, async () => {
        const certificate = ledger.certificateFor(plan)
        if (mode === 'due' && certificate) {
          await askForWindow(plan, certificate)
          const { renewal } = recordOf(plan)
          if (renewal && renewal.at > clock.now())
            return { ok: true, message: `${plan.name} is not due before ${iso(renewal.at)}: ${renewal.why}` }
        }
        return attempts.make(plan, mode)
      })
    },
    async obtain(plan) {
      ledger.add(plan)
      const wait = ledger.stepOf(plan)
      const outcome =
        wait.kind === 'wait' && !underway.has(plan.name)
          ? { ok: false as const, message: `${plan.name} not obtained`, reason: wait.why }
          : await joinOrBegin(plan, () => attempts.make(plan, 'due'))
      return outcome.ok ? outcome : { ...outcome, retryInMs: Math.max(0, recordOf(plan).retryAt - clock.now()) }
    },
    retry() {
      ledger.forgive()
      return tick()
    },
    certificate: ledger.kept,
    status: () => ledger.plans().map(statusOf),
    async idle() {
      while (underway.size > 0) await Promise.all(underway.values())
    },
  }
}

function iso(time: number): string {
  return new Date(time).toISOString()
}
