import { readFileSync, realpathSync } from 'node:fs'
import { describeTransience, fileSystemOf, mountPoints } from '../mounts.ts'

/** Reason why a directory is lost with the container, or undefined if it persists. */
export function findTransience(directory: string): string | undefined {
  return describeTransience(directory, readMountinfo())
}

/** Type of the file system that holds a whole directory tree; undefined if there are several or it cannot be determined. */
export function findFileSystem(directory: string): string | undefined {
  try {
    return fileSystemOf(realpathSync(directory), readMountinfo())
  } catch {
    return undefined
  }
}

/** Whether a file system, or a single file, is mounted at a path without links. */
export function isMountPoint(path: string): boolean {
  return mountPoints(readMountinfo()).includes(path)
}

function readMountinfo(): string {
  return readFileSync('/proc/self/mountinfo', 'utf8')
}
