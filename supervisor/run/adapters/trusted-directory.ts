import { lstatSync, readdirSync, readFileSync, readlinkSync, type Stats } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { errnoOf, OperatorError } from '../../base/errors.ts'
import { mountPoints } from '../../base/mounts.ts'
import { type DirectoryFacts, findDistrust, type PathStep } from '../directory-trust.ts'

/** Maximum number of links on a path, as in the kernel (path_resolution(7)). */
const maxLinks = 40

/** A directory setting: its key and its value. */
export interface DirectorySetting {
  key: 'run_dir' | 'state_dir' | 'logs.files.directory'
  path: string
}

/** Throws an OperatorError if another user controls the directory or its entries, or could put one there first. It need not exist. */
export function expectTrustedDirectory({ key, path }: DirectorySetting): void {
  const found = findDistrust(readFacts({ key, path }))
  if (!found) return
  const variable = `MONOHULL_${key.toUpperCase().replaceAll('.', '_')}`
  throw new OperatorError(`cannot use ${key} ${path}: ${found.reason}`, {
    fix: `${found.fix === undefined ? '' : `${found.fix}, or `}set ${variable} to a directory that only user ${process.getuid?.()} can write to`,
  })
}

function readFacts({ key, path }: DirectorySetting): DirectoryFacts {
  const { steps, exists } = walk(path)
  const last = steps.at(-1)
  return { steps, exists, entries: exists ? entriesThatMatter(key, path, last) : [], user: process.geteuid?.() ?? 0 }
}

function entriesThatMatter(key: DirectorySetting['key'], path: string, last: PathStep | undefined): Entry[] {
  // in a volume, a link of its owner would lead root's lines, and nginx's change of owner, to any file
  if (key === 'logs.files.directory') return readEntries(path).filter(entry => entry.isLink)
  // a state directory may contain restored files of anyone, unless everyone may write to it
  return key === 'run_dir' || ((last?.mode ?? 0) & 0o002) !== 0 ? readEntries(path) : []
}

/** Steps of the resolution of a path, as far as they exist. */
function walk(path: string): { steps: PathStep[]; exists: boolean } {
  const mounts = new Set(mountPoints(readFileSync('/proc/self/mountinfo', 'utf8')))
  const steps: PathStep[] = []
  let links = 0
  let current = '/'
  const names = resolve(path).split('/').filter(Boolean)
  const note = (at: string, { uid, mode }: Stats, isLink: boolean) =>
    steps.push({ path: at, isLink, uid, mode, isMount: !isLink && mounts.has(at) })
  note('/', lstatSync('/'), false)
  for (let name = names.shift(); name !== undefined; name = names.shift()) {
    if (name === '..') {
      current = dirname(current)
      continue
    }
    const next = join(current, name)
    const found = tryStat(next)
    if (!found) return { steps, exists: false }
    if (!found.isSymbolicLink()) {
      note(next, found, false)
      current = next
      continue
    }
    note(next, found, true)
    if (++links > maxLinks) return { steps, exists: false }
    const target = readlinkSync(next)
    if (target.startsWith('/')) current = '/'
    names.unshift(...target.split('/').filter(part => part !== '' && part !== '.'))
  }
  return { steps, exists: true }
}

/** Undefined for a path that does not exist, or that this user cannot look at: creating or using it will report why. */
function tryStat(path: string): Stats | undefined {
  try {
    return lstatSync(path)
  } catch {
    return undefined
  }
}

interface Entry {
  path: string
  uid: number
  isLink: boolean
}

function readEntries(directory: string): Entry[] {
  try {
    return readdirSync(directory).flatMap(name => {
      const path = join(directory, name)
      const found = tryStat(path)
      return found ? [{ path, uid: found.uid, isLink: found.isSymbolicLink() }] : []
    })
  } catch (error) {
    if (errnoOf(error) === undefined) throw error
    return [] // not a directory, or not readable: using it will report why
  }
}
