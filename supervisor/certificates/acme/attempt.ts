import { pause } from '../../base/clock.ts'
import { formatDuration } from '../../base/duration.ts'
import { messageOf } from '../../base/errors.ts'
import type { Outcome } from '../../base/outcome.ts'
import type { Runtime } from '../../base/runtime.ts'
import type { UsableCertificate } from '../certificate.ts'
import type { Claim, Peers } from './authority.ts'
import { turnAfter } from './fallback.ts'
import type { AcmeLedger } from './ledger.ts'
import { type OrderDeps, obtainCertificate } from './order.ts'
import {
  AcmeError,
  type AcmePlan,
  type AcmeRecord,
  type AcmeSettings,
  causeOf,
  isHopeless,
  meansOf,
  minKeepMs,
  retryDelayMs,
  UnsharedError,
} from './plan.ts'
import { planRenewal } from './renewal.ts'

/** Time between two attempts to claim a name that another instance orders for, in ms. */
const claimPauseMs = 500
/** Longer than an order takes at most. */
const claimTimeoutMs = 600_000

/** Dependencies of attempts. */
export interface AttemptDeps extends OrderDeps, Pick<Runtime, 'random'> {
  /** Client of the authority in `settings.fallback`. */
  fallback?: OrderDeps['client'] | undefined
  settings: AcmeSettings
  peers: Peers
  /** Obstacle for a first order; undefined if none. */
  preflight(plan: AcmePlan): Promise<string | undefined>
  /** Has nginx serve the issued certificate. */
  serve(plan: AcmePlan, issued: UsableCertificate): Promise<Outcome>
}

/** Kind of attempt. `due`: with the checks before an order. `forced`: without them. `resumed`: only finishes an order in progress. */
export type AttemptMode = 'due' | 'forced' | 'resumed'

/** Attempts to obtain certificates, recorded in the ledger. */
export interface Attempts {
  /** Orders a certificate, or finishes the order in progress, and has nginx serve it. Failures are logged, recorded and returned. */
  make(plan: AcmePlan, mode: AttemptMode): Promise<Outcome>
  /** Has nginx serve the certificate that another instance obtained for a plan; undefined if there is none. */
  adopt(plan: AcmePlan): Promise<Outcome | undefined>
  /** Records a failure and when to retry. */
  fail(plan: AcmePlan, error: unknown): Outcome
  /** Asks the authority when to renew a certificate, and records the plan; not while another instance may be asking. Rejects if nobody may ask now. */
  askForWindow(plan: AcmePlan, certificate: UsableCertificate): Promise<void>
}

/** Creates attempts for the plans of a ledger. */
export function createAttempts(deps: AttemptDeps, ledger: AcmeLedger): Attempts {
  const { clock, log, store, settings, signal, keys } = deps

  /** Authority that has issued, or is to issue, a certificate. */
  function authorityFor(isFallback: boolean | undefined) {
    const { fallback } = deps
    if (!isFallback || !fallback || !settings.fallback) return { client: deps.client, profile: settings.profile }
    return { client: fallback, profile: settings.fallback.profile, name: settings.fallback.directory }
  }

  async function askForWindow(plan: AcmePlan, certificate: UsableCertificate): Promise<void> {
    const claimed = await deps.peers.claim(plan)
    if (!claimed) return
    try {
      // another instance may have asked meanwhile: its record is read first
      if (deps.peers.exist() && ledger.isChanged(plan)) return
      await askWithClaim(plan, certificate)
      if (!signal.aborted) await claimed.share?.()
    } finally {
      await claimed.release()
    }
  }

  async function askWithClaim(plan: AcmePlan, { certificate, pem }: UsableCertificate): Promise<void> {
    const id = keys.certificateId(pem.chain)
    const { renewal: previous, isFromFallback } = ledger.recordOf(plan)
    const asked = id === undefined ? undefined : authorityFor(isFromFallback).client.renewalInfo(id)
    const info = await asked?.catch((error: unknown) => {
      log.debug('the CA did not report when to renew', { name: plan.name, error: messageOf(error) })
      return undefined
    })
    if (signal.aborted) return
    ledger.update(plan, {
      renewal: planRenewal({ certificate, previous, info, now: clock.now(), random: deps.random() }),
    })
  }

  /** Claims a plan, once no other instance orders for it. Undefined if that takes too long. */
  async function claim(plan: AcmePlan): Promise<Claim | undefined> {
    const deadline = clock.monotonic() + claimTimeoutMs
    for (;;) {
      const claimed = await deps.peers.claim(plan)
      if (claimed || clock.monotonic() > deadline) return claimed
      await pause(clock, claimPauseMs, signal)
    }
  }

  async function make(plan: AcmePlan, mode: AttemptMode): Promise<Outcome> {
    if (signal.aborted) return aborted(plan)
    let reason = 'another monohull with this state_dir is ordering it'
    const claimed = await claim(plan).catch((error: unknown) => {
      reason = messageOf(error)
      return undefined
    })
    if (claimed && signal.aborted) await claimed.release()
    if (signal.aborted) return aborted(plan)
    if (!claimed) return notRenewed(plan, reason)
    try {
      const hasNews = ledger.isChanged(plan)
      const adopted = await adopt(plan)
      if (adopted) return adopted
      const next = ledger.stepOf(plan)
      // it has failed elsewhere meanwhile
      if (hasNews && mode === 'due' && next.kind === 'wait') return notRenewed(plan, next.why)
      return await order(plan, mode, claimed)
    } finally {
      if (!claimed.signal?.aborted) await claimed.share?.().catch(logUnshared)
      await claimed.release()
    }
  }

  /** The order can go on here or elsewhere from what was shared before. */
  function logUnshared(error: unknown): void {
    log.debug('cannot share the state of a certificate', { error: messageOf(error) })
  }

  function notRenewed({ name }: AcmePlan, reason: string): Outcome {
    return { ok: false, message: `${name} not renewed`, reason }
  }

  async function adopt(plan: AcmePlan): Promise<Outcome | undefined> {
    // another instance may have obtained it and stopped since
    if (!deps.peers.exist() && !ledger.isChanged(plan)) return undefined
    if (!ledger.reread(plan)) return undefined
    const found = ledger.kept(plan.name)
    if (!found || found.certificate.notAfter <= clock.now()) return undefined
    log.info('certificate obtained by another instance', {
      names: plan.domains.join(','),
      expires: iso(found.certificate.notAfter),
    })
    const served = await deps.serve(plan, found)
    return served.ok ? { ok: true, message: `${plan.name} renewed by another instance` } : served
  }

  async function order(plan: AcmePlan, mode: AttemptMode, claimed: Claim): Promise<Outcome> {
    const present = ledger.kept(plan.name)
    const record = ledger.recordOf(plan)
    const { client, profile, name } = authorityFor(record.usesFallback)
    const isFallback = name !== undefined
    // an order at the fallback is lost with its settings
    const unfinished = record.usesFallback && !isFallback ? { ...record, pendingOrder: undefined } : record
    const isIssuer = (record.isFromFallback ?? false) === isFallback
    let issued: UsableCertificate
    try {
      const isFirst = !present && mode === 'due' && unfinished.pendingOrder === undefined
      const problem = isFirst ? await deps.preflight(plan) : undefined
      if (problem !== undefined) return fail(plan, new Error(problem))
      const pem = await obtainCertificate(
        { ...deps, client, signal: claimed.signal ? AbortSignal.any([signal, claimed.signal]) : signal },
        {
          plan,
          settings: { keyType: settings.keyType, profile },
          replaces: present && isIssuer ? keys.certificateId(present.pem.chain) : undefined,
          unfinished,
          isResumeOnly: mode === 'resumed',
          async onProgress(change) {
            ledger.update(plan, change)
            await claimed.share?.()
          },
        },
      )
      issued = ledger.keep(plan, pem, client.time() ?? clock.now())
      if (isFallback) ledger.update(plan, { isFromFallback: true })
      if (present) ledger.update(plan, { retryAt: clock.now() + minKeepMs(issued.certificate) })
      store.savePendingKey(plan.name, undefined)
      await askWithClaim(plan, issued)
      log.info('certificate issued', {
        names: plan.domains.join(','),
        expires: iso(issued.certificate.notAfter),
        ...(isFallback ? { by: name } : {}),
      })
    } catch (error) {
      if (claimed.signal?.aborted || error instanceof UnsharedError)
        return notRenewed(plan, messageOf(claimed.signal?.reason ?? error))
      const { pendingOrder } = unfinished
      const isSame = pendingOrder !== undefined && ledger.recordOf(plan).pendingOrder === pendingOrder
      if (isSame && !signal.aborted && isHopeless(error, unfinished, clock.now()))
        ledger.update(plan, { pendingOrder: undefined })
      if (mode === 'forced' && present && !signal.aborted) ledger.update(plan, { isForced: true })
      return fail(plan, error)
    }
    const served = await deps.serve(plan, issued)
    return served.ok ? { ok: true, message: `${plan.name} renewed` } : served
  }

  /** An operation aborted with the service does not count as a failure, and its order can be resumed. */
  function aborted(plan: AcmePlan): Outcome {
    return notRenewed(plan, 'the ACME service was stopped')
  }

  function fail(plan: AcmePlan, error: unknown): Outcome {
    if (signal.aborted) return aborted(plan)
    const record = ledger.recordOf(plan)
    const failures = record.failures + 1
    const asked = error instanceof AcmeError ? error.retryAfterMs : undefined
    const delayMs = retryDelayMs(failures, asked, deps.random())
    const reason = messageOf(error)
    const cause = { failedBy: causeOf(error), means: meansOf(settings) }
    ledger.update(plan, { failures, retryAt: clock.now() + delayMs, lastError: reason, ...cause })
    if (deps.fallback) takeTurns(plan, record, error)
    const fields = {
      names: plan.domains.join(','),
      reason,
      retry_in: formatDuration(Math.round(delayMs / 1000) * 1000),
    }
    if (ledger.kept(plan.name)) log.warn('certificate not renewed, the old one stays in use', fields)
    else log.error('certificate not obtained', fields)
    return notRenewed(plan, reason)
  }

  /** Chooses the authority of the next attempt. An order at the other one is given up. */
  function takeTurns(plan: AcmePlan, record: AcmeRecord, error: unknown): void {
    const present = ledger.kept(plan.name)
    const turn = turnAfter(record, error, present !== undefined && present.certificate.notAfter > clock.now())
    const isSwitch = turn.usesFallback !== (record.usesFallback ?? false)
    ledger.update(plan, { ...turn, ...(isSwitch ? { pendingOrder: undefined } : {}) })
    if (isSwitch && turn.usesFallback)
      log.warn('the CA fails, the next attempt is at the fallback', {
        names: plan.domains.join(','),
        failures: turn.caFailures,
        fallback: settings.fallback?.directory,
      })
  }

  return { make, adopt, fail, askForWindow }
}

function iso(time: number): string {
  return new Date(time).toISOString()
}
