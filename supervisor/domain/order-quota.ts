import { registeredDomain } from './on-demand-name.ts'

const hourMs = 3_600_000

/** Most orders in any hour. */
export interface OrderLimits {
  all: number
  /** Of those, for one registered domain. */
  perDomain: number
}

/** An order that was placed. */
export interface PlacedOrder {
  name: string
  at: number
}

/** The orders that still count, and whether there is room for one more. */
export function lookAtQuota(
  placed: readonly PlacedOrder[],
  { name, now, limits }: { name: string; now: number; limits: OrderLimits },
): { counting: PlacedOrder[]; spent: 'orders_per_hour' | 'orders_per_domain' | undefined } {
  const counting = placed.filter(({ at }) => at > now - hourMs)
  if (counting.length >= limits.all) return { counting, spent: 'orders_per_hour' }
  const domain = registeredDomain(name)
  const same = counting.filter(order => registeredDomain(order.name) === domain)
  return { counting, spent: same.length >= limits.perDomain ? 'orders_per_domain' : undefined }
}
