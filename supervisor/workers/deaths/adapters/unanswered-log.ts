import { closeSync, fstatSync, openSync, readSync, rmSync, statSync, truncateSync } from 'node:fs'
import type { UnansweredLog } from '../in-flight.ts'

/** Maximum number of bytes per read. Earlier lines are skipped. */
const longestRead = 256 * 1024
/** Size from which the file is truncated. nginx opens it for appending, so that is safe while nginx writes. */
const largestFile = 1 << 20

/** nginx's log of requests that a worker dropped, one per line. Removes the file of an earlier run. */
export function openUnansweredLog(path: string): UnansweredLog {
  let position = 0
  rmSync(path, { force: true })

  function readOn(): string {
    const file = openSync(path, 'r')
    try {
      const { size } = fstatSync(file)
      // another program truncated it
      if (size < position) position = 0
      position = Math.max(position, size - longestRead)
      const buffer = Buffer.alloc(size - position)
      const length = readSync(file, buffer, 0, buffer.length, position)
      // a partial line is read next time
      const whole = buffer.subarray(0, buffer.lastIndexOf('\n', length) + 1)
      position += whole.length
      return whole.toString()
    } finally {
      closeSync(file)
    }
  }

  return {
    read() {
      try {
        return readOn()
      } catch {
        return '' // the file does not exist before nginx has started
      }
    },
    shorten() {
      try {
        if (statSync(path).size < largestFile) return
        truncateSync(path)
        position = 0
      } catch {
        // no file yet
      }
    },
  }
}
