/** Parts of at most `size`, in order. */
export function inBatches<T>(items: readonly T[], size: number): T[][] {
  const batches: T[][] = []
  for (let at = 0; at < items.length; at += size) batches.push(items.slice(at, at + size))
  return batches
}

/** Workers of a pool that may be recycled at the same time: one, and one per 8 of a larger pool. */
export function recyclesAtOnce(workers: number): number {
  return Math.max(1, Math.floor(workers / 8))
}
