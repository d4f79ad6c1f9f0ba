import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'monohull-world')

/**
 * Directory that stays between runs, with these packages from npm (NAME@VERSION) in its node_modules. `overrides`: exact versions of
 * packages that they depend on by a tag, which not every registry has.
 */
export function installedDirectory(
  name: string,
  packages: readonly string[] = [],
  overrides: Readonly<Record<string, string>> = {},
): string {
  const directory = join(cache, name)
  mkdirSync(directory, { recursive: true })
  if (packages.length === 0) return directory
  const noted = join(directory, '.installed')
  const wanted = packages.join('\n')
  if (existsSync(noted) && readFileSync(noted, 'utf8') === wanted) return directory
  writeFileSync(join(directory, 'package.json'), JSON.stringify({ private: true, overrides }))
  execFileSync('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', ...packages], {
    cwd: directory,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  writeFileSync(noted, wanted)
  return directory
}
