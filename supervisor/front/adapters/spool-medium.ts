import { existsSync, lstatSync, mkdirSync, rmSync, statfsSync } from 'node:fs'
import { totalmem } from 'node:os'
import { dirname, join } from 'node:path'
import { errnoFix, errnoOf, messageOf } from '../../base/errors.ts'
import type { Complain } from '../../config/report.ts'
import { readMemoryGroup } from '../../processes/adapters/cgroup.ts'
import { type Account, findClosedDirectory } from '../../processes/adapters/users.ts'
import type { SpoolMedium } from '../spool.ts'

/** Types of file systems whose files are memory, from statfs(2): tmpfs, ramfs. */
const memoryTypes = [0x01021994, 0x858458f6]

/** Directories of temporary files. */
export interface SpoolKeys {
  temp_dir?: string | undefined
  run_dir: string
}

/** Medium of nginx's temporary files. Creates a private directory in temp_dir, and reports one that cannot be used. */
export function findSpoolMedium(
  config: SpoolKeys,
  { nginxUser, complain }: { nginxUser: Account | undefined; complain: Complain },
): SpoolMedium {
  const directory = spoolDirectory(config)
  if (config.temp_dir !== undefined) {
    const problem = makePrivate(directory, config.temp_dir, nginxUser)
    if (problem) complain('temp_dir', config.temp_dir, problem.problem, problem.fix)
  }
  const { blocks, bsize, type } = statfsSync(existingDirectory(directory))
  return {
    directory,
    isMemory: memoryTypes.includes(type),
    bytes: blocks * bsize,
    memoryBytes: Math.min(totalmem(), readMemoryGroup().limit() ?? Number.POSITIVE_INFINITY),
  }
}

/** Free bytes of a file system; undefined if it cannot be asked. */
export function freeBytes(directory: string): number | undefined {
  try {
    const { bavail, bsize } = statfsSync(existingDirectory(directory))
    return bavail * bsize
  } catch {
    return undefined
  }
}

/** Removes temporary files that a killed nginx left. No nginx may use them. */
export function removeLeftovers({ directory }: Pick<SpoolMedium, 'directory'>): void {
  for (const name of ['client_body', 'proxy']) rmSync(join(directory, name), { recursive: true, force: true })
}

/** The directory. In temp_dir it is of this instance alone: its name has the path of run_dir. */
function spoolDirectory({ temp_dir, run_dir }: SpoolKeys): string {
  return temp_dir === undefined ? join(run_dir, 'nginx') : join(temp_dir, `monohull${run_dir.replaceAll('/', '-')}`)
}

/** Creates a directory that only this user can write to. A link, or a directory of another user, could lead nginx's files elsewhere. */
function makePrivate(
  directory: string,
  parent: string,
  nginxUser: Account | undefined,
): { problem: string; fix: string } | undefined {
  try {
    mkdirSync(parent, { recursive: true, mode: 0o755 })
    if (!existsSync(directory)) mkdirSync(directory, { mode: 0o711 })
    const found = lstatSync(directory)
    if (!found.isDirectory() || found.uid !== process.geteuid?.() || (found.mode & 0o022) !== 0)
      return { problem: `contains ${directory}, which others can write to`, fix: `remove ${directory}` }
  } catch (error) {
    const fix = errnoFix(errnoOf(error) ?? '') ?? 'name a directory on a disk'
    return { problem: `cannot be used: ${messageOf(error)}`, fix }
  }
  const closed = nginxUser && findClosedDirectory(parent, nginxUser)
  return closed === undefined
    ? undefined
    : { problem: `cannot be entered by user ${nginxUser?.name}`, fix: `chmod o+x ${closed}, or move the directory` }
}

function existingDirectory(path: string): string {
  return existsSync(path) ? path : existingDirectory(dirname(path))
}
