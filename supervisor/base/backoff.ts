/** Bounds of an exponential backoff. */
export interface BackoffPolicy {
  initialMs: number
  maxMs: number
}

/**
 * Exponential delay before a restart, in ms. `failures` counts fast failures in a row; 0, the first crash of a stable worker, means no
 * delay. Jitter shortens the delay by up to a quarter, so that workers do not restart in step. `random` is from 0 to 1.
 */
export function backoffMs(failures: number, policy: BackoffPolicy, random: number): number {
  if (failures <= 0) return 0
  const ceiling = Math.min(policy.maxMs, policy.initialMs * 2 ** Math.min(failures - 1, 30))
  return Math.round(ceiling * (1 - random / 4))
}
