/** When a worker is replaced although it works. 0: never for this reason. */
export interface RecyclePolicy {
  maxRequests: number
  maxRequestsJitter: number
  maxMemoryBytes: number
  maxAgeMs: number
}

/** What one worker drew, so that workers that began together do not end together. */
export interface RecycleLimits {
  requests: number
  memoryBytes: number
  ageMs: number
}

/** Part of max_age by which a worker's own may be shorter. */
const ageJitter = 0.1

/** `random` is from 0 to 1. */
export function drawLimits(policy: RecyclePolicy, random: number): RecycleLimits {
  const { maxRequests, maxRequestsJitter, maxMemoryBytes, maxAgeMs } = policy
  return {
    requests: maxRequests === 0 ? 0 : maxRequests + Math.floor(random * (maxRequestsJitter + 1)),
    memoryBytes: maxMemoryBytes,
    ageMs: Math.round(maxAgeMs * (1 - random * ageJitter)),
  }
}

/** What a worker has come to. */
export interface RecycleFacts {
  requests: number
  memoryBytes: number
  ageMs: number
}

export interface RecycleReason {
  reason: 'max_requests' | 'max_memory' | 'max_age'
  value: number
  limit: number
}

/** The limit that a worker has reached; undefined when none. */
export function reachedLimit(facts: RecycleFacts, limits: RecycleLimits): RecycleReason | undefined {
  const reasons: RecycleReason[] = [
    { reason: 'max_requests', value: facts.requests, limit: limits.requests },
    { reason: 'max_memory', value: facts.memoryBytes, limit: limits.memoryBytes },
    { reason: 'max_age', value: facts.ageMs, limit: limits.ageMs },
  ]
  return reasons.find(({ value, limit }) => limit > 0 && value >= limit)
}

/** Whether a worker can reach a limit at all. */
export function hasLimits({ maxRequests, maxMemoryBytes, maxAgeMs }: RecyclePolicy): boolean {
  return maxRequests > 0 || maxMemoryBytes > 0 || maxAgeMs > 0
}
