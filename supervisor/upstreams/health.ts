/** Health of one server according to the checks. */
export interface ServerHealth {
  isUp: boolean
  /** Number of latest checks in a row that contradict `isUp`. */
  against: number
  /** Time of the first check, or of the last change of `isUp`, on the monotonic clock; undefined before the first check. */
  since: number | undefined
  /** Reason of the last failure while the server is down. */
  failure: string | undefined
}

interface Check {
  /** Undefined if the check succeeded. */
  failure: string | undefined
  /** Time on the monotonic clock. */
  at: number
}

/** Health of a server before its first check: it gets requests. */
export const unchecked: ServerHealth = { isUp: true, against: 0, since: undefined, failure: undefined }

/** Health after one more check. */
export function recordCheck(
  before: ServerHealth,
  { failure, at }: Check,
  { fails, passes }: { fails: number; passes: number },
): ServerHealth {
  const hasPassed = failure === undefined
  const isAgainst = hasPassed !== before.isUp
  const turns = isAgainst && before.against + 1 >= (before.isUp ? fails : passes)
  const isUp = turns ? hasPassed : before.isUp
  return {
    isUp,
    against: isAgainst && !turns ? before.against + 1 : 0,
    since: turns ? at : (before.since ?? at),
    failure: isUp ? undefined : (failure ?? before.failure),
  }
}

/** Servers that get requests: those that are up, or all if none is, because the check itself may be wrong. */
export function serversInUse<T>(servers: readonly T[], isUp: (server: T) => boolean): readonly T[] {
  const up = servers.filter(isUp)
  return up.length > 0 ? up : servers
}
