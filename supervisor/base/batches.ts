/** The items in order, in batches of at most `size`. */
export function inBatches<T>(items: readonly T[], size: number): T[][] {
  const batches: T[][] = []
  for (let start = 0; start < items.length; start += size) batches.push(items.slice(start, start + size))
  return batches
}

/** Number of workers of a pool that are replaced at the same time: an eighth, and at least one. */
export function replacedAtOnce(workers: number): number {
  return Math.max(1, Math.floor(workers / 8))
}
