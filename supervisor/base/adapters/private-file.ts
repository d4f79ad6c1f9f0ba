import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { asOperatorError } from '../errors.ts'

/** Writes a file atomically, readable by its owner only, and creates its directories. Throws an OperatorError if the system refuses. */
export function writePrivately(path: string, text: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    writeFileSync(`${path}.next`, text, { mode: 0o600, flush: true })
    renameSync(`${path}.next`, path)
  } catch (error) {
    throw asOperatorError(error, `write ${path}`)
  }
}
