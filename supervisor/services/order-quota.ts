import { lookAtQuota, type OrderLimits, type PlacedOrder } from '../domain/order-quota.ts'
import type { Surroundings } from '../domain/ports.ts'

const warnEveryMs = 60_000

/** Takes one of the orders that may still be placed; false, and told now and then, when there is none left. */
export type TakeOrder = (name: string) => boolean

/** Counts orders, in memory. */
export function createOrderQuota({
  clock,
  log,
  limits,
}: Pick<Surroundings, 'clock' | 'log'> & { limits: OrderLimits }): TakeOrder {
  let placed: PlacedOrder[] = []
  let warnedAt = Number.NEGATIVE_INFINITY
  return name => {
    const now = clock.now()
    const { counting, spent } = lookAtQuota(placed, { name, now, limits })
    placed = spent ? counting : [...counting, { name, at: now }]
    if (spent && now - warnedAt >= warnEveryMs) {
      warnedAt = now
      log.warn('too many certificates are asked for, names without one are refused', { name, limit: spent })
    }
    return spent === undefined
  }
}
