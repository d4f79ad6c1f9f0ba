import type { Clock } from '../base/clock.ts'
import type { ChangeChannel } from './redis/link.ts'
import type { SharedState } from './state.ts'

/** Time between two general reports, which also find a change that Redis did not report. */
const everyMs: Record<ChangeChannel, number> = { tracking: 60_000, notifications: 30_000, polling: 5000 }

/** Dependencies of watchers. */
export interface WatchersDeps {
  clock: Clock
  /** Start of the keys of records. */
  records: string
}

/** Watchers of records. */
export interface Watchers extends Pick<SharedState, 'watch'> {
  /** Passes on the change of a key; undefined: any may have changed. */
  report(key: string | undefined): void
  /** A connection is established: anything may have changed before. */
  begin(channel: ChangeChannel): void
  end(): void
  close(): void
}

/** Creates the watchers, of which there are none yet. */
export function createWatchers({ clock, records }: WatchersDeps): Watchers {
  const watchers = new Set<{ prefix: string; onChange: (name: string | undefined) => void }>()
  let cancel = () => {}

  function report(key: string | undefined): void {
    const name = key?.startsWith(records) ? key.slice(records.length) : undefined
    if (key !== undefined && name === undefined) return
    for (const { prefix, onChange } of watchers) if (name === undefined || name.startsWith(prefix)) onChange(name)
  }

  function reportAfter(ms: number, nextMs: number): void {
    cancel()
    cancel = clock.after(ms, () => {
      report(undefined)
      reportAfter(nextMs, nextMs)
    })
  }

  return {
    report,
    // the link is in use in the next turn
    begin: channel => reportAfter(0, everyMs[channel]),
    end: () => cancel(),
    close() {
      cancel()
      watchers.clear()
    },
    watch(prefix, onChange) {
      const watcher = { prefix, onChange }
      watchers.add(watcher)
      return () => watchers.delete(watcher)
    },
  }
}
