/** What checks have found of one server. */
export interface ServerHealth {
  isUp: boolean
  /** How often in a row the checks have found otherwise. */
  against: number
}

/** A server that was not checked yet: it gets requests. */
export const unchecked: ServerHealth = { isUp: true, against: 0 }

/** After one more check. */
export function noteCheck(
  { isUp, against }: ServerHealth,
  isWell: boolean,
  { fails, passes }: { fails: number; passes: number },
): ServerHealth {
  if (isWell === isUp) return { isUp, against: 0 }
  const needed = isUp ? fails : passes
  return against + 1 >= needed ? { isUp: isWell, against: 0 } : { isUp, against: against + 1 }
}

/** The servers that get requests: those that are up, and all when none is, since a check may be wrong. */
export function serversInUse<T>(servers: readonly T[], isUp: (server: T) => boolean): readonly T[] {
  const up = servers.filter(isUp)
  return up.length > 0 ? up : servers
}
