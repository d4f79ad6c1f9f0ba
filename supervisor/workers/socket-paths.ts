/** Target number of entries. nginx keeps idle connections per entry, so with more entries fewer are reused. */
const targetCount = 24

/**
 * Number of entries for an app in nginx's upstream: a multiple of `workers`, so that all get the same share. Several entries
 * lead to each worker, so workers can be added and removed without a reload of nginx, which would close client connections.
 * `keepalive` is the number of idle connections that nginx keeps, 0 for none.
 */
export function entryCount(workers: number, keepalive: number): number {
  const limit = keepalive > 0 ? Math.min(targetCount, keepalive) : targetCount
  return workers * Math.max(1, Math.floor(limit / workers))
}

/**
 * Slot that each entry leads to. The entry of a serving slot leads to that slot; the others lead to the serving slots in turn.
 * While none serves, all lead to the first slot. Entries and slots count from 1.
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

/** Socket path of an entry. */
export function socketPath(runDir: string, app: string, entry: number): string {
  return `${runDir}/${app}-${entry}.sock`
}
