import { mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** Where the peers are kept from one run to the next. */
export function cacheDirectory(name: string): string {
  const path = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'monohull-bench', name)
  mkdirSync(path, { recursive: true })
  return path
}
