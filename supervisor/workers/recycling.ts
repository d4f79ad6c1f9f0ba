/** Limits from which a working worker is replaced; 0 for no limit. */
export interface RecyclePolicy {
  maxRequests: number
  maxRequestsJitter: number
  maxMemoryBytes: number
  maxAgeMs: number
}

/** Limits of one worker, randomized so that workers that started together are not replaced together; 0 for no limit. */
export interface RecycleLimits {
  requests: number
  memoryBytes: number
  ageMs: number
}

/** Maximum part of max_age that is subtracted at random. */
const ageJitter = 0.1

/** Randomized limits of one worker. `random` is from 0 to 1. */
export function drawLimits(policy: RecyclePolicy, random: number): RecycleLimits {
  const { maxRequests, maxRequestsJitter, maxMemoryBytes, maxAgeMs } = policy
  return {
    requests: maxRequests === 0 ? 0 : maxRequests + Math.floor(random * (maxRequestsJitter + 1)),
    memoryBytes: maxMemoryBytes,
    ageMs: Math.round(maxAgeMs * (1 - random * ageJitter)),
  }
}

/** Present values of a worker, to compare with its limits. */
export interface RecycleFacts {
  requests: number
  memoryBytes: number
  ageMs: number
}

/** The limit that a worker has reached, with its present value. */
export interface RecycleReason {
  reason: 'max_requests' | 'max_memory' | 'max_age'
  value: number
  limit: number
}

/** Checks in a row at which memory must be above its limit. A single one may be a peak, such as a large request. */
export const memoryChecks = 3

/** The first limit that a worker has reached; undefined if none. */
export function reachedLimit(facts: RecycleFacts, limits: RecycleLimits): RecycleReason | undefined {
  const reasons: RecycleReason[] = [
    { reason: 'max_requests', value: facts.requests, limit: limits.requests },
    { reason: 'max_memory', value: facts.memoryBytes, limit: limits.memoryBytes },
    { reason: 'max_age', value: facts.ageMs, limit: limits.ageMs },
  ]
  return reasons.find(({ value, limit }) => limit > 0 && value >= limit)
}

/** Whether a policy has any limit. */
export function hasLimits({ maxRequests, maxMemoryBytes, maxAgeMs }: RecyclePolicy): boolean {
  return maxRequests > 0 || maxMemoryBytes > 0 || maxAgeMs > 0
}
