import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  openSync,
  readFileSync,
  readSync,
  realpathSync,
  statSync,
} from 'node:fs'
import { delimiter, dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { messageOf, OperatorError } from '../../base/errors.ts'
import type { PackageJson, Project } from '../app-command.ts'

/** Search path for an app's commands, with its node_modules/.bin first, as package managers set it. */
export function searchPath(directory: string, path: string): string {
  return existsSync(join(directory, 'node_modules/.bin'))
    ? `${join(directory, 'node_modules/.bin')}${delimiter}${path}`
    : path
}

/** Project in a directory on disk. */
export function openProject(directory: string, path: string): Project {
  const at = (name: string) => resolve(directory, name)
  return {
    packageJson: readPackageJson(join(directory, 'package.json')),
    isFile: name => statSync(at(name), { throwIfNoEntry: false })?.isFile() ?? false,
    isDirectory: name => statSync(at(name), { throwIfNoEntry: false })?.isDirectory() ?? false,
    tsxLoader(program) {
      const found = findProgram(program, directory, path)
      if (found.kind !== 'found') return undefined
      const loader = join(dirname(realpathSync(found.path)), 'loader.mjs')
      return existsSync(loader) ? pathToFileURL(loader).href : 'tsx'
    },
  }
}

function readPackageJson(file: string): PackageJson | undefined {
  if (!existsSync(file)) return undefined
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as PackageJson
  } catch (error) {
    throw new OperatorError(`cannot read ${file}: ${messageOf(error)}`, { fix: 'fix the file' })
  }
}

/** Whether a command's first word runs Node: it is node itself, or a script with node in its first line. */
export function isNodeProgram(program: string, directory: string, path: string): boolean {
  const found = findProgram(program, directory, path)
  if (found.kind !== 'found') return false
  if (/\/node(js)?$/.test(found.path) || found.path === process.execPath) return true
  try {
    return /^#!.*\bnode\b/.test(readStart(found.path))
  } catch {
    return false // this user may execute but not read it
  }
}

function readStart(path: string): string {
  const file = openSync(path, 'r')
  try {
    const start = Buffer.alloc(128)
    readSync(file, start)
    return start.toString('latin1')
  } finally {
    closeSync(file)
  }
}

/** Result of searching for a program. */
export type ProgramSearch =
  | { kind: 'found'; path: string }
  | { kind: 'not executable'; path: string }
  | { kind: 'not found' }

/** File that a command's first word runs, with the search of execvp(3). */
export function findProgram(program: string, directory: string, path: string): ProgramSearch {
  const candidates = program.includes('/')
    ? [resolve(directory, program)]
    : path.split(delimiter).map(directory => join(directory || '.', program))
  let blocked: string | undefined
  for (const candidate of candidates) {
    if (!statSync(candidate, { throwIfNoEntry: false })?.isFile()) continue
    try {
      accessSync(candidate, constants.X_OK)
      return { kind: 'found', path: candidate }
    } catch {
      blocked ??= candidate
    }
  }
  return blocked ? { kind: 'not executable', path: blocked } : { kind: 'not found' }
}
