import { existsSync, readdirSync } from 'node:fs'
import { isCacheDirectory } from '../cache.ts'

/** Whether nginx's working directory contains caches. */
export function hasCaches(directory: string): boolean {
  return existsSync(directory) && readdirSync(directory).some(isCacheDirectory)
}
