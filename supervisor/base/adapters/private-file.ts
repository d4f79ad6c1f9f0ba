import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { asOperatorError } from '../errors.ts'

/** Writes a file atomically, readable by its owner only, and creates its directories. Throws an OperatorError if the system refuses. */
export function writePrivately(path: string, text: string): void {
  // another process may write the same file, from another container with the same process id
  const next = `${path}.${Math.random().toString(36).slice(2, 10)}.next`
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    writeFileSync(next, text, { mode: 0o600, flush: true })
    renameSync(next, path)
  } catch (error) {
    remove(next)
    throw asOperatorError(error, `write ${path}`)
  }
}

function remove(path: string): void {
  try {
    rmSync(path, { force: true })
  } catch {
    // the error that led here is the one to report
  }
}
