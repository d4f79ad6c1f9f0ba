import type { Runtime } from '../../base/runtime.ts'
import { lookAtQuota, type OrderLimits, type PlacedOrder } from './quota.ts'

const warnEveryMs = 60_000

/** Takes one of the orders that may still be placed; false, and told now and then, when there is none left. */
export type TakeOrder = (name: string) => boolean

export interface OrderQuotaDeps extends Pick<Runtime, 'clock' | 'log'> {
  limits: OrderLimits
  /** The registered domain of a name. */
  domainOf: (name: string) => string
}

/** Counts orders, in memory. */
export function createOrderQuota({ clock, log, limits, domainOf }: OrderQuotaDeps): TakeOrder {
  let placed: PlacedOrder[] = []
  let warnedAt = Number.NEGATIVE_INFINITY
  return name => {
    const now = clock.monotonic()
    const domain = domainOf(name)
    const { counting, spent } = lookAtQuota(placed, { domain, now, limits })
    placed = spent ? counting : [...counting, { domain, at: now }]
    if (spent && now - warnedAt >= warnEveryMs) {
      warnedAt = now
      log.warn('too many certificates are asked for, names without one are refused', { name, limit: spent })
    }
    return spent === undefined
  }
}
