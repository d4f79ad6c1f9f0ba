import { accessSync, closeSync, constants, existsSync, mkdirSync, openSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { errnoOf, messageOf, OperatorError } from '../../base/errors.ts'
import { accessFileName } from '../rotation-names.ts'

/** Mode of a log file: lines contain addresses and queries, which are not for every user. */
const fileMode = 0o640

/** Descriptor of a log file for appending. The file and its directory are created if they are missing. */
export function openToAppend(path: string): number {
  mkdirSync(dirname(path), { recursive: true })
  return openSync(path, 'a', fileMode)
}

/** Creates access.log before nginx does, which would let everyone read it. nginx reports what makes this impossible. */
export function createAccessFile(directory: string): void {
  try {
    closeSync(openToAppend(join(directory, accessFileName)))
  } catch (error) {
    if (errnoOf(error) === undefined) throw error
  }
}

/** Throws an OperatorError if no log file can be created in the directory. It need not exist, and is not created. */
export function expectLogDirectory(directory: string): void {
  try {
    const found = existingParent(directory)
    if (!statSync(found).isDirectory()) throw new Error(`${found} is not a directory`)
    accessSync(found, constants.W_OK | constants.X_OK)
  } catch (error) {
    throw unusable(directory, error)
  }
}

/** Error about a directory in which no log file can be opened. */
export function unusable(directory: string, error: unknown): OperatorError {
  return new OperatorError(`cannot open a log file in ${directory}: ${messageOf(error)}`, {
    fix: 'make the directory of logs.files writable for the user that starts monohull, or set another one',
  })
}

function existingParent(path: string): string {
  return existsSync(path) || path === dirname(path) ? path : existingParent(dirname(path))
}
