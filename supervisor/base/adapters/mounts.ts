import { readFileSync, realpathSync } from 'node:fs'
import { describeTransience, fileSystemOf } from '../mounts.ts'

/** Why what a folder holds goes with the container, or undefined when it stays. */
export function findTransience(folder: string): string | undefined {
  return describeTransience(folder, readMountinfo())
}

/** The type of the file system that holds a folder with all that is below; undefined when there are several, or nothing tells. */
export function findFileSystem(folder: string): string | undefined {
  try {
    return fileSystemOf(realpathSync(folder), readMountinfo())
  } catch {
    return undefined
  }
}

function readMountinfo(): string {
  return readFileSync('/proc/self/mountinfo', 'utf8')
}
