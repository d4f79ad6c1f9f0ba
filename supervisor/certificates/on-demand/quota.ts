const hourMs = 3_600_000

/** Most orders in any hour. */
export interface OrderLimits {
  all: number
  /** Of those, for one registered domain. */
  perDomain: number
}

/** An order that was placed, for a name of a registered domain. */
export interface PlacedOrder {
  domain: string
  at: number
}

/** The orders that still count, and whether there is room for one more. */
export function lookAtQuota(
  placed: readonly PlacedOrder[],
  { domain, now, limits }: { domain: string; now: number; limits: OrderLimits },
): { counting: PlacedOrder[]; spent: 'orders_per_hour' | 'orders_per_domain' | undefined } {
  const counting = placed.filter(({ at }) => at > now - hourMs)
  if (counting.length >= limits.all) return { counting, spent: 'orders_per_hour' }
  const same = counting.filter(order => order.domain === domain)
  return { counting, spent: same.length >= limits.perDomain ? 'orders_per_domain' : undefined }
}
