/** How far a program is, for those that come after it. `failed`: it waits to be tried again, or has ended with a failure. */
export type Progress = 'starting' | 'ready' | 'failed'

/** Order in which programs start: each after those that its key `after` names. */
export interface StartOrder {
  /** Records how far a program is, and starts those that waited for it. */
  report(name: string, progress: Progress): void
  /** Removes a program that no longer exists. */
  forget(name: string): void
  /** Calls `start` once all of `after()` are ready. `after` is read again after each change. The returned function ends the wait. */
  hold(name: string, after: () => readonly string[], start: () => void): () => void
  /** Reads what programs wait for again, after a change of the configuration. */
  refresh(): void
  /** Those of the names that are not ready. */
  missing(names: readonly string[]): string[]
  /** What a program waits for; undefined if it does not wait. */
  waitsFor(name: string): string[] | undefined
  /** Programs that wait for this one, also through others. */
  waitingFor(name: string): string[]
  /** Settles when each of the names is ready or, for now, cannot become ready: it has failed, or waits for a program that has. */
  settled(names: readonly string[]): Promise<void>
  /** Settles when all of the names are ready. */
  ready(names: readonly string[]): Promise<void>
}

interface Wait {
  after: () => readonly string[]
  start: () => void
}

/** Order without any program. */
export function createStartOrder(): StartOrder {
  const progress = new Map<string, Progress>()
  const waits = new Map<string, Wait>()
  const watchers = new Set<() => void>()

  const missing = (names: readonly string[]) => names.filter(name => progress.get(name) !== 'ready')

  function isStuck(name: string, seen: readonly string[] = []): boolean {
    if (progress.get(name) === 'failed') return true
    if (seen.includes(name)) return false
    return missing(waits.get(name)?.after() ?? []).some(other => isStuck(other, [...seen, name]))
  }

  function refresh(): void {
    for (const [name, wait] of [...waits]) {
      if (waits.get(name) !== wait || missing(wait.after()).length > 0) continue
      waits.delete(name)
      wait.start()
    }
    for (const look of [...watchers]) look()
  }

  function until(isOver: () => boolean): Promise<void> {
    return new Promise(resolve => {
      const look = () => {
        if (!isOver()) return
        watchers.delete(look)
        resolve()
      }
      watchers.add(look)
      look()
    })
  }

  return {
    report(name, next) {
      if (progress.get(name) === next) return
      progress.set(name, next)
      refresh()
    },
    forget(name) {
      progress.delete(name)
      waits.delete(name)
    },
    hold(name, after, start) {
      const wait = { after, start }
      waits.set(name, wait)
      refresh()
      return () => {
        if (waits.get(name) === wait) waits.delete(name)
      }
    },
    refresh,
    missing,
    waitsFor(name) {
      const wait = waits.get(name)
      return wait && missing(wait.after())
    },
    waitingFor(name) {
      const found = new Set<string>()
      const visit = (of: string) => {
        for (const [other, { after }] of waits) {
          if (found.has(other) || !after().includes(of)) continue
          found.add(other)
          visit(other)
        }
      }
      visit(name)
      return [...found]
    },
    settled: names => until(() => missing(names).every(name => isStuck(name))),
    ready: names => until(() => missing(names).length === 0),
  }
}

/** Items in an order in which each comes after those that it names; otherwise in their own order. */
export function inStartOrder<T extends { name: string; after?: readonly string[] | undefined }>(
  items: readonly T[],
): T[] {
  const byName = new Map(items.map(item => [item.name, item]))
  const sorted = new Set<T>()
  const visit = (item: T, path: readonly T[]) => {
    if (sorted.has(item) || path.includes(item)) return
    for (const name of item.after ?? []) {
      const before = byName.get(name)
      if (before) visit(before, [...path, item])
    }
    sorted.add(item)
  }
  for (const item of items) visit(item, [])
  return [...sorted]
}
