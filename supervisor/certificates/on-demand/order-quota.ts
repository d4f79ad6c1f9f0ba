import type { Runtime } from '../../base/runtime.ts'
import { checkQuota, type OrderLimits, type PlacedOrder } from './quota.ts'

const warnEveryMs = 60_000

/** Counts an order for a name; false if a limit is reached, which is logged at most once a minute. */
export type TakeOrder = (name: string) => boolean

/** Dependencies of the order quota. */
export interface OrderQuotaDeps extends Pick<Runtime, 'clock' | 'log'> {
  limits: OrderLimits
  /** Registered domain of a name. */
  domainOf: (name: string) => string
}

/** Quota of orders, counted in memory. */
export function createOrderQuota({ clock, log, limits, domainOf }: OrderQuotaDeps): TakeOrder {
  let placed: PlacedOrder[] = []
  let warnedAt = Number.NEGATIVE_INFINITY
  return name => {
    const now = clock.monotonic()
    const domain = domainOf(name)
    const { recent, reached } = checkQuota(placed, { domain, now, limits })
    placed = reached ? recent : [...recent, { domain, at: now }]
    if (reached && now - warnedAt >= warnEveryMs) {
      warnedAt = now
      log.warn('too many certificates are requested, names without one are refused', { name, limit: reached })
    }
    return reached === undefined
  }
}
