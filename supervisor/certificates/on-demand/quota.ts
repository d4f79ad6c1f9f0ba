const hourMs = 3_600_000

/** Maximum number of orders in any hour. */
export interface OrderLimits {
  all: number
  /** Maximum for one registered domain. */
  perDomain: number
}

/** Order that was placed for a name of a registered domain. */
export interface PlacedOrder {
  domain: string
  at: number
}

/** Orders of the last hour, and the limit that prevents another one; undefined if none does. */
export function checkQuota(
  placed: readonly PlacedOrder[],
  { domain, now, limits }: { domain: string; now: number; limits: OrderLimits },
): { recent: PlacedOrder[]; reached: 'orders_per_hour' | 'orders_per_domain' | undefined } {
  const recent = placed.filter(({ at }) => at > now - hourMs)
  if (recent.length >= limits.all) return { recent, reached: 'orders_per_hour' }
  const same = recent.filter(order => order.domain === domain)
  return { recent, reached: same.length >= limits.perDomain ? 'orders_per_domain' : undefined }
}
