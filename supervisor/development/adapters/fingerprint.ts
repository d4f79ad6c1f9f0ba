import { createHash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'

/** Size above which a file is judged by its size and time, not by its content. */
const maxContentBytes = 4 * 2 ** 20

/** Text that differs if the content of a file differs; empty if there is no such file. */
export function fingerprintOf(file: string): string {
  try {
    const { size, mtimeMs } = statSync(file)
    return size > maxContentBytes
      ? `${size} ${mtimeMs}`
      : createHash('sha256').update(readFileSync(file)).digest('base64')
  } catch {
    return ''
  }
}

/** Time of the last change of a file, in ms; undefined if it is no regular file. */
export function changedAt(file: string): number | undefined {
  const stat = statSync(file, { throwIfNoEntry: false })
  return stat?.isFile() ? stat.mtimeMs : undefined
}
