/** Names of routes (hosts and wildcards) that nginx's answers may depend on. */
export interface KnownNames {
  /** Notes whether a name has a route, and the time until its key expires. */
  note(name: string, hasRoute: boolean, remainingMs?: number): void
  /** Whether an answer of nginx may depend on a name. */
  mayKnow(name: string): boolean
  hasRoute(name: string): boolean
  /** Time at which a route was noted; undefined for names without one. */
  notedAtMs(name: string): number | undefined
  names(): string[]
  /** Names that were forgotten, until that is confirmed: nginx has to forget them too. */
  forgotten(): ReadonlySet<string>
  confirmForgotten(names: Iterable<string>): void
  /** Number of names with a route. */
  routeCount(): number
  /** Names whose keys have expired since the last call. */
  takeExpired(): string[]
  /** Time of the next expiry; undefined if no key expires. */
  nextExpiryMs(): number | undefined
}

/** Bounds of the record. */
export interface KnownNamesLimits {
  routes: number
  /** Names without a route, which clients can invent; more than there are in open questions. */
  others: number
}

/** Keys that expire within this time are noticed together. */
const tickMs = 100

/** Bounded record of names. When there are more, those noted first are forgotten. */
export function createKnownNames(now: () => number, limits: KnownNamesLimits): KnownNames {
  const routes = new Map<string, { notedAtMs: number; expiresAtMs: number | undefined }>()
  const others = new Set<string>()
  const ticks = new Map<number, Set<string>>()
  const forgotten = new Set<string>()
  const tickOf = (expiresAtMs: number) => Math.ceil(expiresAtMs / tickMs)

  function remove(name: string): void {
    others.delete(name)
    const expiresAtMs = routes.get(name)?.expiresAtMs
    routes.delete(name)
    if (expiresAtMs === undefined) return
    const tick = ticks.get(tickOf(expiresAtMs))
    tick?.delete(name)
    if (tick?.size === 0) ticks.delete(tickOf(expiresAtMs))
  }

  function noteRoute(name: string, expiresAtMs: number | undefined): void {
    routes.set(name, { notedAtMs: now(), expiresAtMs })
    if (expiresAtMs === undefined) return
    const tick = ticks.get(tickOf(expiresAtMs)) ?? new Set()
    ticks.set(tickOf(expiresAtMs), tick.add(name))
  }

  return {
    note(name, hasRoute, remainingMs) {
      remove(name)
      forgotten.delete(name)
      if (hasRoute) noteRoute(name, remainingMs === undefined ? undefined : now() + remainingMs)
      else others.add(name)
      const [oldest] = hasRoute
        ? routes.size > limits.routes
          ? routes.keys()
          : []
        : others.size > limits.others
          ? others
          : []
      if (oldest === undefined) return
      remove(oldest)
      forgotten.add(oldest)
    },
    mayKnow: name => routes.has(name) || others.has(name),
    hasRoute: name => routes.has(name),
    notedAtMs: name => routes.get(name)?.notedAtMs,
    names: () => [...routes.keys(), ...others],
    forgotten: () => forgotten,
    confirmForgotten(names) {
      for (const name of names) forgotten.delete(name)
    },
    routeCount: () => routes.size,
    takeExpired() {
      const due = [...ticks.keys()].filter(tick => tick * tickMs <= now())
      const names = due.flatMap(tick => [...(ticks.get(tick) ?? [])])
      for (const tick of due) ticks.delete(tick)
      return names
    },
    nextExpiryMs: () => (ticks.size === 0 ? undefined : Math.min(...ticks.keys()) * tickMs),
  }
}
