import { readFileSync, realpathSync } from 'node:fs'
import { describeTransience, isInOwnLayer } from '../domain/mounts.ts'

/** Why what a folder holds goes with the container, or undefined when it stays. */
export function findTransience(folder: string): string | undefined {
  return describeTransience(folder, readMountinfo())
}

/** Whether a folder lies in the container's own layer with all that is below. */
export function liesInOwnLayer(folder: string): boolean {
  try {
    return isInOwnLayer(realpathSync(folder), readMountinfo())
  } catch {
    return false // it is gone, or nothing tells
  }
}

function readMountinfo(): string {
  return readFileSync('/proc/self/mountinfo', 'utf8')
}
