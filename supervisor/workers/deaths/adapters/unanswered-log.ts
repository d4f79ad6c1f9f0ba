import { closeSync, fstatSync, openSync, readSync, rmSync, statSync, truncateSync } from 'node:fs'
import type { UnansweredLog } from '../in-flight.ts'

/** Read at once, at most; what lies further back is passed over. */
const longestRead = 256 * 1024
/** nginx appends, so the file can be emptied under it. */
const largestFile = 1 << 20

/** The file in which nginx writes a line for each request that a worker dropped. Begins with none of an earlier run. */
export function openUnansweredLog(path: string): UnansweredLog {
  let position = 0
  rmSync(path, { force: true })

  function readOn(): string {
    const file = openSync(path, 'r')
    try {
      const { size } = fstatSync(file)
      // somebody else emptied it
      if (size < position) position = 0
      position = Math.max(position, size - longestRead)
      const buffer = Buffer.alloc(size - position)
      const length = readSync(file, buffer, 0, buffer.length, position)
      // a line that is still being written is read the next time
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
        return '' // not there before nginx has started; a record goes without
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
