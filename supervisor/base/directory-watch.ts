import { messageOf } from './errors.ts'
import type { Runtime } from './runtime.ts'

/** Dependencies of `watchDirectory`. */
export interface DirectoryWatchDeps extends Pick<Runtime, 'clock' | 'log'> {
  everyMs: number
  /** Name of the contents, for the log. */
  what: string
  /** Signature of the directory when it was last read. */
  known: string
  /** Signature of the present contents: a text that changes with them. */
  sign(): Promise<string>
  /** Called after a change, as soon as two signatures in a row are the same. */
  onRest(): Promise<void>
  /** Called on every poll. */
  onLook?(): void
}

/** A running watch. */
export interface DirectoryWatch {
  /** Settles when the current poll has finished. */
  close(): Promise<void>
}

/** Polls a directory or file. A change is reported when two polls in a row see the same, because files are written one at a time. */
export function watchDirectory(deps: DirectoryWatchDeps): DirectoryWatch {
  let settled = deps.known
  let last = deps.known
  let isClosed = false
  let cancel = () => {}
  let polling: Promise<void> = Promise.resolve()

  async function poll(): Promise<void> {
    const seen = await deps.sign()
    const isAtRest = seen === last
    last = seen
    if (isAtRest && seen !== settled && !isClosed) {
      settled = seen
      await deps.onRest()
    }
    deps.onLook?.()
  }

  function schedule(): void {
    cancel = deps.clock.after(deps.everyMs, () => {
      polling = poll()
        .catch((error: unknown) => deps.log.error(`cannot check ${deps.what} for changes`, { error: messageOf(error) }))
        .then(() => {
          if (!isClosed) schedule()
        })
    })
  }

  schedule()
  return {
    async close() {
      isClosed = true
      cancel()
      await polling
    },
  }
}
