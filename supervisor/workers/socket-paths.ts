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
 * Slot that each entry leads to. The entry of a serving slot leads to that slot; the others lead to the serving slots in turn, because nginx
 * takes entries in their order. With many entries, they stay where they lead in `present` if the shares stay equal: each move is a call of the
 * system. While none serves, all lead to the first slot. Entries and slots count from 1.
 */
export function spreadEntries(
  entries: number,
  {
    slots,
    serving,
    present,
  }: { slots: readonly number[]; serving: readonly number[]; present: ReadonlyMap<number, number> },
): Map<number, number> {
  const targets = serving.length > 0 ? serving : slots.slice(0, 1)
  const targetOf = new Map<number, number>()
  if (targets.length === 0) return targetOf
  const counts = new Map(targets.map(target => [target, 0]))
  const numbers = Array.from({ length: entries }, (_, index) => index + 1)
  const others = numbers.filter(entry => !counts.has(entry))
  const share = Math.floor(others.length / targets.length)
  /** Targets that get one more. */
  let larger = others.length % targets.length

  function take(entry: number, target: number | undefined): boolean {
    const count = target === undefined ? undefined : counts.get(target)
    if (target === undefined || count === undefined || count > share || (count === share && larger === 0)) return false
    if (count === share) larger--
    counts.set(target, count + 1)
    targetOf.set(entry, target)
    return true
  }

  const moved = entries > targetCount ? others.filter(entry => !take(entry, present.get(entry))) : others
  let turn = 0
  for (const entry of moved) while (!take(entry, targets[turn++ % targets.length]));
  return new Map(numbers.map(entry => [entry, targetOf.get(entry) ?? entry]))
}

/** Socket path of an entry. */
export function socketPath(runDir: string, app: string, entry: number): string {
  return `${runDir}/${app}-${entry}.sock`
}

/** Path of the socket that a worker of a slot (`app-1`) listens on. */
export function workerSocketPath(runDir: string, slot: string, worker: number): string {
  return `${runDir}/${slot}.${worker}.sock`
}

/** Whether a path is that of a socket of some worker of an app. */
export function isWorkerSocket(path: string, { runDir, app }: { runDir: string; app: string }): boolean {
  const prefix = `${runDir}/${app}-`
  return path.startsWith(prefix) && /^\d+\.\d+\.sock$/.test(path.slice(prefix.length))
}
