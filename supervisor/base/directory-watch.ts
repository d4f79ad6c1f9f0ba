import { messageOf } from './errors.ts'
import type { Runtime } from './runtime.ts'

export interface FolderWatchDeps extends Pick<Runtime, 'clock' | 'log'> {
  everyMs: number
  /** What is in there, for the log. */
  what: string
  /** What `sign` gave when the folder was last taken up. */
  known: string
  /** What the folder holds now, as a text that changes with it. */
  sign(): Promise<string>
  /** Called once the folder has come to rest after a change. */
  onRest(): Promise<void>
  /** Called at every look. */
  onLook?(): void
}

export interface FolderWatch {
  /** Settles when the look that is under way is over. */
  close(): Promise<void>
}

/** Looks at a folder, or a file, again and again. A change counts when two looks in a row see the same: files are written one by one. */
export function watchFolder(deps: FolderWatchDeps): FolderWatch {
  let settled = deps.known
  let last = deps.known
  let isClosed = false
  let cancel = () => {}
  let looking: Promise<void> = Promise.resolve()

  async function look(): Promise<void> {
    const seen = await deps.sign()
    const isAtRest = seen === last
    last = seen
    if (isAtRest && seen !== settled && !isClosed) {
      settled = seen
      await deps.onRest()
    }
    deps.onLook?.()
  }

  function lookLater(): void {
    cancel = deps.clock.after(deps.everyMs, () => {
      looking = look()
        .catch((error: unknown) => deps.log.error(`cannot look at ${deps.what}`, { error: messageOf(error) }))
        .then(() => {
          if (!isClosed) lookLater()
        })
    })
  }

  lookLater()
  return {
    async close() {
      isClosed = true
      cancel()
      await looking
    },
  }
}
