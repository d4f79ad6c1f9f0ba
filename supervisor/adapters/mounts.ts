import { readFileSync } from 'node:fs'
import { describeTransience } from '../domain/mounts.ts'

/** Why what a folder holds goes with the container, or undefined when it stays. */
export function findTransience(folder: string): string | undefined {
  return describeTransience(folder, readFileSync('/proc/self/mountinfo', 'utf8'))
}
