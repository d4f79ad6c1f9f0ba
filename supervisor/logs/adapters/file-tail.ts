import { closeSync, fstatSync, mkdirSync, openSync, readSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Clock } from '../../base/clock.ts'
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
    const file = openSync(path, 'r')
    const { size } = fstatSync(file)
    closeSync(file)
    if (size < limit) return
    truncateSync(path)
    position = 0
  }

  function poll(isLast: boolean): void {
    try {
      while (isLast || !output.full()) {
        const lines = readOn()
        if (!lines) {
          shorten(largestFile)
          return
        }
        output.write(render(lines))
      }
      shorten(largestBacklog)
    } catch {
      // run_dir was removed: the next reload creates the file again
      position = 0
    }
  }

  let cancel = () => {}
  function schedule(): void {
    cancel = clock.after(pollMs, () => {
      poll(false)
      schedule()
    })
  }
  schedule()
  return {
    close() {
      cancel()
      poll(true)
      rmSync(path, { force: true })
    },
  }
}
