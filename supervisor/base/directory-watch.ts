import { untilTick } from './clock.ts'
import { messageOf } from './errors.ts'
import type { Runtime } from './runtime.ts'

/** Interval of the polls while the contents change, in ms. */
const movingMs = 1000
/** Interval of the polls while the kernel reports changes. They find what it does not see: a directory further up was moved, or mounted over. */
const followedMs = 60_000

/** Watch of the kernel for changes. */
export interface Follower {
  close(): void
}

/** Dependencies of `watchDirectory`. */
export interface DirectoryWatchDeps extends Pick<Runtime, 'clock' | 'log'> {
  /** Interval of the polls at rest, in ms. */
  everyMs: number
  /** Name of the contents, for the log. */
  what: string
  /** Signature of the directory when it was last read. */
  known: string
  /** Signature of the present contents: a text that changes with them. */
  sign(): Promise<string>
  /** Called after a change, as soon as two signatures in a row are the same. */
  onRest(): Promise<void>
  /** Has the kernel report changes of the present contents; undefined if it would not see each. */
  follow?(onChange: () => void): Promise<Follower | undefined>
}

/** A running watch. */
export interface DirectoryWatch {
  /** Settles when the current poll has finished. */
  close(): Promise<void>
}

/**
 * Watches a directory or file: by the kernel's reports where they are reliable, else by polls. A change is reported when two polls in a row
 * see the same, because files are written one at a time.
 */
export function watchDirectory(deps: DirectoryWatchDeps): DirectoryWatch {
  let settled = deps.known
  let last = deps.known
  let isClosed = false
  /** Whether the next poll may find a change. The first one may: the directory was read before. */
  let isMoving = true
  /** Whether other contents may have to be followed. */
  let isFollowDue = true
  let isPolling = false
  let follower: Follower | undefined
  let cancel = () => {}
  let polling: Promise<void> = Promise.resolve()

  async function poll(): Promise<void> {
    isMoving = false
    const seen = await deps.sign()
    const isAtRest = seen === last
    last = seen
    if (!isAtRest) {
      isMoving = true
      isFollowDue = true
      return
    }
    if (isClosed) return
    if (seen !== settled) {
      settled = seen
      await deps.onRest()
    }
    if (isFollowDue && !isMoving) await followAgain()
  }

  /** Follows the present contents. What changed before is found by one more poll. */
  async function followAgain(): Promise<void> {
    isFollowDue = false
    follower?.close()
    follower = await deps.follow?.(onChange)
    if (isClosed) follower?.close()
    if (follower) isMoving = true
  }

  function onChange(): void {
    isFollowDue = true
    if (isMoving || isClosed) return
    isMoving = true
    if (isPolling) return
    cancel()
    schedule()
  }

  function schedule(): void {
    const delayMs = isMoving ? movingMs : untilTick(deps.clock, follower ? followedMs : deps.everyMs)
    cancel = deps.clock.after(delayMs, () => {
      isPolling = true
      polling = poll()
        .catch((error: unknown) => deps.log.error(`cannot check ${deps.what} for changes`, { error: messageOf(error) }))
        .then(() => {
          isPolling = false
          if (!isClosed) schedule()
        })
    })
  }

  schedule()
  return {
    async close() {
      isClosed = true
      cancel()
      follower?.close()
      await polling
    },
  }
}
