import { mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** Directory that keeps a peer between runs; created if it does not exist. */
export function cacheDirectory(name: string): string {
  const path = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'monohull-bench', name)
  mkdirSync(path, { recursive: true })
  return path
}
