import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'monohull/node-versions')

/** Program of a major version of Node: the one that runs this, or one that npm installs once into the cache. */
export function nodeOf(major: number): string {
  if (process.versions.node.startsWith(`${major}.`)) return process.execPath
  const folder = join(cache, String(major))
  const name = `node-linux-${process.arch}`
  const program = join(folder, 'node_modules', name, 'bin/node')
  if (existsSync(program)) return program
  const staging = `${folder}.${process.pid}`
  mkdirSync(staging, { recursive: true })
  writeFileSync(join(staging, 'package.json'), '{ "private": true }')
  const args = ['install', '--no-audit', '--no-fund', '--no-package-lock', `${name}@${major}`]
  execFileSync('npm', args, { cwd: staging, stdio: ['ignore', 'ignore', 'inherit'] })
  rmSync(folder, { recursive: true, force: true })
  renameSync(staging, folder)
  return program
}
