import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'monohull-world')

/**
 * Directory that stays between runs, with these packages from npm (NAME@VERSION) in its node_modules. `overrides`: exact versions of
 * packages that they depend on by a tag, which not every registry has. Test files that run at the same time may share one.
 */
export function installedDirectory(
  name: string,
  packages: readonly string[] = [],
  overrides: Readonly<Record<string, string>> = {},
): string {
  const directory = join(cache, name)
  if (packages.length === 0) {
    mkdirSync(directory, { recursive: true })
    return directory
  }
  const wanted = packages.join('\n')
  if (isInstalled(directory, wanted)) return directory
  const staging = `${directory}.${process.pid}`
  mkdirSync(staging, { recursive: true })
  writeFileSync(join(staging, 'package.json'), JSON.stringify({ private: true, overrides }))
  execFileSync('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', ...packages], {
    cwd: staging,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  writeFileSync(join(staging, noteName), wanted)
  takePlace(staging, directory, wanted)
  return directory
}

/** Name of the file that says which packages were installed to the end. */
const noteName = '.installed'

function isInstalled(directory: string, wanted: string): boolean {
  const note = join(directory, noteName)
  return existsSync(note) && readFileSync(note, 'utf8') === wanted
}

/** Renames the staging directory to `directory`, unless another test file was first. */
function takePlace(staging: string, directory: string, wanted: string): void {
  try {
    if (!isInstalled(directory, wanted)) {
      rmSync(directory, { recursive: true, force: true })
      renameSync(staging, directory)
    }
  } catch (error) {
    if (!isInstalled(directory, wanted)) throw error
  }
  rmSync(staging, { recursive: true, force: true })
}
