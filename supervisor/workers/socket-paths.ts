/** Idle connections that nginx keeps are kept per place: with more places than that, few would be used again. */
const most = 24

/**
 * How many places an app of `workers` gets in nginx's list. Each leads to a worker, and several to the same one, so that
 * workers can come and go without a reload of nginx, which would close client connections. A multiple of `workers`, so that
 * all get the same share; `keepalive` is the number of idle connections that nginx keeps, 0 for none.
 */
export function entryCount(workers: number, keepalive: number): number {
  const limit = keepalive > 0 ? Math.min(most, keepalive) : most
  return workers * Math.max(1, Math.floor(limit / workers))
}

/**
 * The slot that each place leads to: a serving slot's own place to itself, the others to the serving slots in turn; while
 * none serves, to the first slot. Places and slots count from 1.
 */
export function spreadEntries(
  entries: number,
  slots: readonly number[],
  serving: readonly number[],
): Map<number, number> {
  const targets = serving.length > 0 ? serving : slots.slice(0, 1)
  const targetOf = new Map<number, number>()
  let turn = 0
  for (let entry = 1; entry <= entries && targets.length > 0; entry++) {
    const isOwn = targets.includes(entry)
    targetOf.set(entry, isOwn ? entry : (targets[turn++ % targets.length] ?? entry))
  }
  return targetOf
}

/** The name by which nginx knows a place. */
export function socketPath(runDir: string, app: string, entry: number): string {
  return `${runDir}/${app}-${entry}.sock`
}
