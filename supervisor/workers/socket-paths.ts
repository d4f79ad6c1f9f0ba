/** Idle connections that nginx keeps are kept per place: with more places than that, few would be used again. */
const most = 24

/**
 * How many places an app of `workers` gets in nginx's list. Each leads to a worker, and several to the same one, so that
 * workers can come and go without a reload of nginx, which would close client connections. A multiple of `workers`, so that
 * all get the same share; `keepalive` is the number of idle connections that nginx keeps, 0 for none.
 */
export function placesFor(workers: number, keepalive: number): number {
  const limit = keepalive > 0 ? Math.min(most, keepalive) : most
  return workers * Math.max(1, Math.floor(limit / workers))
}

/**
 * The slot that each place leads to: a serving slot's own place to itself, the others to the serving slots in turn; while
 * none serves, to the first slot. Places and slots count from 1.
 */
export function spreadPlaces(
  places: number,
  slots: readonly number[],
  serving: readonly number[],
): Map<number, number> {
  const supports = serving.length > 0 ? serving : slots.slice(0, 1)
  const leads = new Map<number, number>()
  let turn = 0
  for (let place = 1; place <= places && supports.length > 0; place++) {
    const isOwn = supports.includes(place)
    leads.set(place, isOwn ? place : (supports[turn++ % supports.length] ?? place))
  }
  return leads
}

/** The name by which nginx knows a place. */
export function placePath(runDir: string, app: string, place: number): string {
  return `${runDir}/${app}-${place}.sock`
}
