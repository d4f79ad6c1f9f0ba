import type { Problem } from '../config/report.ts'
import type { Settings } from './settings.ts'

/** Problem of a directory of nginx snippets that were in use, and that is gone: a mount may be missing. Undefined if there is no loss. */
export function findLostSnippets(
  former: Pick<Settings, 'snippets' | 'ownFiles'> | undefined,
  now: Pick<Settings, 'snippets'>,
): Problem | undefined {
  const directory = former?.snippets
  if (!former || directory === undefined || now.snippets !== undefined) return undefined
  if (![...former.ownFiles.keys()].some(path => path.startsWith(`${directory}/`))) return undefined
  return {
    key: 'nginx.snippets',
    source: 'this machine',
    value: directory,
    problem: 'is gone, but snippets from it are in use',
    fix: 'restore the directory; if this is intended, run monohull reload --allow-missing',
  }
}
