import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'
import { errnoOf, messageOf } from '../errors.ts'

/** Size above which a file is not one that a person has written. */
const maxBytes = 32 << 20

/** Bytes of a regular file. Throws for anything else: reading a pipe or a device could block forever, or never end. */
export function readRegularFile(path: string): Buffer {
  // opening a pipe would wait for its writer
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const stat = fstatSync(descriptor)
    if (!stat.isFile()) throw new Error('is not a regular file')
    if (stat.size > maxBytes) throw new Error(`is larger than ${maxBytes >> 20} MB`)
    return readFileSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/** Problem with a file that `readRegularFile` did not read: `cannot be read: ENOENT`, `is not a regular file`. */
export function describeUnread(error: unknown): string {
  const errno = errnoOf(error)
  return errno === undefined ? messageOf(error) : `cannot be read: ${errno}`
}
