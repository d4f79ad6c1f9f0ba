import { messageOf } from '../../base/errors.ts'
import type { Runtime } from '../../base/runtime.ts'
import type { Gatekeeper } from '../acme/authority.ts'
import { retryDelayMs } from '../acme/plan.ts'
import type { Acme } from '../acme/service.ts'
import type { TakeOrder } from './order-quota.ts'
import { createQuestionQueue } from './question-queue.ts'

/** Time for which a name is refused if there was no decision. */
const undecidedMs = 5000
/** Maximum number of remembered refusals. */
const maxRefusals = 10_000

/** Dependencies of the admission. */
export interface OnDemandDeps extends Pick<Runtime, 'clock' | 'log' | 'random'> {
  gatekeeper: Gatekeeper
  /** Time for which a refusal of the gatekeeper is remembered. */
  refusedMs: number
  acme: Pick<Acme, 'obtain' | 'certificate'>
  takeOrder: TakeOrder
  /** Registered domain of a name. */
  domainOf: (name: string) => string
}

interface Refusal {
  until: number
  /** Number of consecutive failed orders. */
  failures: number
}

/** Ensures that a name has a certificate; false if it is refused. `client` is the network address that requests it. */
export type Admit = (name: string, client: string) => Promise<boolean>

/**
 * Obtains certificates for names at their first handshake. A name is refused if the gatekeeper does not allow it or the order
 * limits are reached. Refusals are remembered for a while, without asking again. Questions take turns, so that a flood of names delays no other.
 */
export function createOnDemand(deps: OnDemandDeps): Admit {
  const { clock, log, random, gatekeeper, refusedMs, acme, takeOrder, domainOf } = deps
  const questions = createQuestionQueue({ clock })
  const refusals = new Map<string, Refusal>()
  const underway = new Map<string, Promise<boolean>>()
  let isUnavailable = false

  function refuse(name: string, forMs: number, failures = 0): false {
    refusals.delete(name) // inserted again as the newest
    refusals.set(name, { until: clock.monotonic() + forMs, failures })
    const [oldest] = refusals.keys()
    if (refusals.size > maxRefusals && oldest !== undefined) refusals.delete(oldest)
    return false
  }

  /** Undefined: no decision. */
  async function isAllowed(name: string): Promise<boolean | undefined> {
    try {
      const isPermitted = await gatekeeper.isAllowed(name)
      if (isUnavailable) log.info('tls.on_demand.ask responds again')
      isUnavailable = false
      return isPermitted
    } catch (error) {
      if (!isUnavailable)
        log.warn('tls.on_demand.ask fails: names without a certificate are refused', { reason: messageOf(error) })
      isUnavailable = true
      return undefined
    }
  }

  async function decide(name: string, client: string): Promise<boolean> {
    const before = refusals.get(name)
    const turn = await questions.run({ client, domain: domainOf(name) }, () => isAllowed(name))
    // others had more urgent questions: the next handshake asks again
    if (!turn.hadTurn) return false
    const isPermitted = turn.result
    if (isPermitted === undefined) return refuse(name, undecidedMs, before?.failures)
    if (!isPermitted) return refuse(name, refusedMs)
    if (!takeOrder(name)) return refuse(name, undecidedMs, before?.failures)
    const outcome = await acme.obtain({ name, domains: [name] })
    const failures = (before?.failures ?? 0) + 1
    if (!outcome.ok) {
      const ownMs = retryDelayMs(failures, undefined, random())
      return refuse(name, Math.max(ownMs, outcome.retryInMs ?? 0), failures)
    }
    refusals.delete(name)
    return true
  }

  return (name, client) => {
    const certificate = acme.certificate(name)?.certificate
    if (certificate && certificate.notAfter > clock.now()) return Promise.resolve(true)
    if ((refusals.get(name)?.until ?? 0) > clock.monotonic()) return Promise.resolve(false)
    const present = underway.get(name)
    if (present) return present
    const decided = decide(name, client).finally(() => underway.delete(name))
    underway.set(name, decided)
    return decided
  }
}
