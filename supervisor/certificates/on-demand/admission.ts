import { messageOf } from '../../base/errors.ts'
import type { Runtime } from '../../base/runtime.ts'
import type { Gatekeeper } from '../acme/authority.ts'
import { retryDelayMs } from '../acme/plan.ts'
import type { Acme } from '../acme/service.ts'
import type { TakeOrder } from './order-quota.ts'

/** How long nobody is asked again after a question that got no answer. */
const silentMs = 5000
/** Names that are remembered as refused. */
const rememberedNames = 10_000
/** Questions to the gatekeeper at the same time. */
const mostQuestions = 20

export interface OnDemandDeps extends Pick<Runtime, 'clock' | 'log' | 'random'> {
  gatekeeper: Gatekeeper
  /** How long a no of the gatekeeper holds. */
  refusedMs: number
  acme: Pick<Acme, 'obtain' | 'certificate'>
  takeOrder: TakeOrder
}

interface Refusal {
  until: number
  /** Orders in a row that failed. */
  failures: number
}

/** Whether a name has a certificate, obtained if need be. */
export type Admit = (name: string) => Promise<boolean>

/**
 * Obtains certificates for names at their first handshake. A name is refused unless the gatekeeper says yes, and while too many
 * orders were placed; what was refused is so for a while, without another question.
 */
export function createOnDemand({ clock, log, random, gatekeeper, refusedMs, acme, takeOrder }: OnDemandDeps): Admit {
  const refusals = new Map<string, Refusal>()
  const underway = new Map<string, Promise<boolean>>()
  let questions = 0
  let isSilent = false

  function refuse(name: string, forMs: number, failures = 0): false {
    refusals.delete(name) // the oldest goes first
    refusals.set(name, { until: clock.monotonic() + forMs, failures })
    const [oldest] = refusals.keys()
    if (refusals.size > rememberedNames && oldest !== undefined) refusals.delete(oldest)
    return false
  }

  /** Undefined: nobody knows. */
  async function isAllowed(name: string): Promise<boolean | undefined> {
    if (questions >= mostQuestions) return undefined
    questions++
    try {
      const answer = await gatekeeper.isAllowed(name)
      if (isSilent) log.info('tls.on_demand.ask answers again')
      isSilent = false
      return answer
    } catch (error) {
      if (!isSilent) log.warn('names without a certificate are refused', { reason: messageOf(error) })
      isSilent = true
      return undefined
    } finally {
      questions--
    }
  }

  async function decide(name: string): Promise<boolean> {
    const before = refusals.get(name)
    const answer = await isAllowed(name)
    if (answer === undefined) return refuse(name, silentMs, before?.failures)
    if (!answer) return refuse(name, refusedMs)
    if (!takeOrder(name)) return refuse(name, silentMs, before?.failures)
    const { ok } = await acme.obtain({ name, domains: [name] })
    const failures = (before?.failures ?? 0) + 1
    if (!ok) return refuse(name, retryDelayMs(failures, undefined, random()), failures)
    refusals.delete(name)
    return true
  }

  return name => {
    const certificate = acme.certificate(name)?.certificate
    if (certificate && certificate.notAfter > clock.now()) return Promise.resolve(true)
    if ((refusals.get(name)?.until ?? 0) > clock.monotonic()) return Promise.resolve(false)
    const present = underway.get(name)
    if (present) return present
    const decided = decide(name).finally(() => underway.delete(name))
    underway.set(name, decided)
    return decided
  }
}
