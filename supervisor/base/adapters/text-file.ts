import { readRegularFile } from './regular-file.ts'

/** Text of a regular file in UTF-8, without a byte order mark. Throws an error without the file's content if it cannot be read. */
export function readTextFile(path: string): string {
  const bytes = readRegularFile(path)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new Error(`${path} is not UTF-8 text`)
  }
}
