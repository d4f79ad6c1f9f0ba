/** What checks have found of one server. */
export interface ServerHealth {
  isUp: boolean
  /** How often in a row the checks have found otherwise. */
  against: number
  /** When it was first checked, or last went up or down, on the monotonic clock; undefined: not checked yet. */
  since: number | undefined
  /** What is wrong while it is down. */
  failure: string | undefined
}

interface Check {
  /** Undefined: the server is well. */
  failure: string | undefined
  /** On the monotonic clock. */
  at: number
}

/** A server that was not checked yet: it gets requests. */
export const unchecked: ServerHealth = { isUp: true, against: 0, since: undefined, failure: undefined }

/** After one more check. */
export function recordCheck(
  before: ServerHealth,
  { failure, at }: Check,
  { fails, passes }: { fails: number; passes: number },
): ServerHealth {
  const isWell = failure === undefined
  const isAgainst = isWell !== before.isUp
  const turns = isAgainst && before.against + 1 >= (before.isUp ? fails : passes)
  const isUp = turns ? isWell : before.isUp
  return {
    isUp,
    against: isAgainst && !turns ? before.against + 1 : 0,
    since: turns ? at : (before.since ?? at),
    failure: isUp ? undefined : (failure ?? before.failure),
  }
}

/** The servers that get requests: those that are up, and all when none is, since a check may be wrong. */
export function serversInUse<T>(servers: readonly T[], isUp: (server: T) => boolean): readonly T[] {
  const up = servers.filter(isUp)
  return up.length > 0 ? up : servers
}
