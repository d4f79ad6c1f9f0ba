export interface BackoffPolicy {
  initialMs: number
  maxMs: number
}

/**
 * Wait before a restart after `failures` fast failures in a row: none for the first crash of a stable worker, then
 * doubling up to the cap, less up to a quarter so that workers do not come back in step. `random` is from 0 to 1.
 */
export function backoffMs(failures: number, policy: BackoffPolicy, random: number): number {
  if (failures <= 0) return 0
  const ceiling = Math.min(policy.maxMs, policy.initialMs * 2 ** Math.min(failures - 1, 30))
  return Math.round(ceiling * (1 - random / 4))
}
