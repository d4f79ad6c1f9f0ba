import {
  closeSync,
  type FSWatcher,
  fstatSync,
  mkdirSync,
  openSync,
  readSync,
  rmSync,
  statSync,
  truncateSync,
  watch,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { type Clock, restTickMs, untilTick } from '../../base/clock.ts'
import type { Output } from './output.ts'

const pollMs = 100
/** Maximum number of bytes per read. */
const longestRead = 1 << 20
/** Size from which a file that was read to the end is truncated. The writer opens it for appending, so that is safe. */
const largestFile = 1 << 20
/** Size from which unread bytes are lost, because the reader of the output does not read. */
const largestBacklog = 16 << 20

/** Options of `openFileTail`. */
export interface FileTailOptions {
  clock: Clock
  path: string
  output: Output
  /** Lines for the output, from whole lines of the file. */
  render(lines: Buffer): Buffer | string
}

/**
 * A log file that another program appends to, and whose lines go to an output. Unlike a pipe, a file never blocks the program, even if
 * the supervisor is frozen. Removes the file of an earlier run.
 */
export interface FileTail {
  /** Reads the rest and removes the file. */
  close(): void
}

/** Creates the file, readable only for this user, and follows it. */
export function openFileTail({ clock, path, output, render }: FileTailOptions): FileTail {
  let position = 0
  let watched: { inode: number; watcher: FSWatcher } | undefined
  let cancel = () => {}
  let isDue = false
  mkdirSync(dirname(path), { recursive: true })
  rmSync(path, { force: true })
  writeFileSync(path, '', { mode: 0o600 })

  /** Whole lines after the position; undefined if there are none. */
  function readOn(): Buffer | undefined {
    const file = openSync(path, 'r')
    try {
      const { size } = fstatSync(file)
      // another program truncated it
      if (size < position) position = 0
      if (size === position) return undefined
      const buffer = Buffer.alloc(Math.min(longestRead, size - position))
      const length = readSync(file, buffer, 0, buffer.length, position)
      const whole = buffer.subarray(0, buffer.lastIndexOf(10, length - 1) + 1)
      // a line is at most some kilobytes long: a longer one is no line
      position += whole.length === 0 && length === longestRead ? length : whole.length
      return whole.length === 0 ? undefined : whole
    } finally {
      closeSync(file)
    }
  }

  function shorten(limit: number): void {
    if (statSync(path).size < limit) return
    truncateSync(path)
    position = 0
  }

  /** Reads on. Returns whether there is more to read. */
  function read(isLast: boolean): boolean {
    try {
      while (isLast || !output.full()) {
        const lines = readOn()
        if (!lines) {
          if (position > 0) shorten(largestFile)
          return false
        }
        output.write(render(lines))
      }
      shorten(largestBacklog)
      return true
    } catch {
      // run_dir was removed: the next reload creates the file again
      position = 0
      return false
    }
  }

  /** Sees to it that the kernel reports changes of the present file. Returns whether it does. */
  function follow(): boolean {
    try {
      const { ino: inode } = statSync(path)
      if (watched?.inode === inode) return true
      watched?.watcher.close()
      watched = undefined
      const watcher = watch(path, { persistent: false }, event => {
        // it was removed, and a file that is made again may have the same inode
        if (event === 'rename') unfollow()
        if (!isDue) schedule(true)
      })
      watcher.on('error', unfollow)
      watched = { inode, watcher }
      return true
    } catch {
      unfollow()
      return false
    }
  }

  function unfollow(): void {
    watched?.watcher.close()
    watched = undefined
  }

  /** Reads on soon, or on the next tick: a file that was made again has to be found. */
  function schedule(isSoon: boolean): void {
    cancel()
    isDue = isSoon
    cancel = clock.after(isSoon ? pollMs : untilTick(clock, restTickMs), () => {
      isDue = false
      // what is appended from here on is reported
      const isFollowed = follow()
      schedule(read(false) || !isFollowed)
    })
  }

  schedule(!follow())
  return {
    close() {
      cancel()
      unfollow()
      read(true)
      rmSync(path, { force: true })
    },
  }
}
