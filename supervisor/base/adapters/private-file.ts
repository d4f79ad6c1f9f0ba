import { linkSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { asOperatorError, errnoOf } from '../errors.ts'

/** Errors of file systems without hard links. */
const noLinks = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']

/** Writes a file atomically, readable by its owner only, and creates its directories. Throws an OperatorError if the system refuses. */
export function writePrivately(path: string, text: string): void {
  const next = stagedPath(path)
  try {
    stage(next, text, { flush: true })
    renameSync(next, path)
  } catch (error) {
    remove(next)
    throw asOperatorError(error, `write ${path}`)
  }
}

/**
 * Creates a file for as long as a process runs: not flushed to disk, otherwise like `writePrivately`. False if the path exists: of
 * several processes, only one gets true. No reader sees a part of the text.
 */
export function createPrivately(path: string, text: string): boolean {
  const next = stagedPath(path)
  try {
    stage(next, text, { flush: false })
    try {
      linkSync(next, path)
    } catch (error) {
      if (!noLinks.includes(errnoOf(error) ?? '')) throw error
      writeFileSync(path, text, { mode: 0o600, flag: 'wx' })
    }
    return true
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false
    throw asOperatorError(error, `write ${path}`)
  } finally {
    remove(next)
  }
}

/** Path beside the final one. Another process may write the same file, from another container with the same process id. */
function stagedPath(path: string): string {
  return `${path}.${Math.random().toString(36).slice(2, 10)}.next`
}

function stage(path: string, text: string, { flush }: { flush: boolean }): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  writeFileSync(path, text, { mode: 0o600, flush })
}

function remove(path: string): void {
  try {
    rmSync(path, { force: true })
  } catch {
    // the error that led here is the one to report
  }
}
