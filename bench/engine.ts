import { execFile, execFileSync } from 'node:child_process'
import { promisify } from 'node:util'
import { home } from './workspace.ts'

const run = promisify(execFile)

/** Label of everything that a measure makes. */
export const label = `monohull.bench=${process.pid}`

/** Image of Monohull, as built from this checkout. */
export const baseImage = 'monohull:bench'

/** Result of a measure without an engine. */
export const withoutEngine =
  'Skipped: no Docker engine responds. Set DOCKER_HOST, or run `bench/run.sh` as root with docker.io installed.'

/** Whether a Docker engine responds. */
export function hasEngine(): boolean {
  try {
    execFileSync('docker', ['version'], { stdio: 'ignore', timeout: 10_000 })
    return true
  } catch {
    return false
  }
}

/** Output of a docker command, trimmed; rejects if it fails. */
export async function docker(args: readonly string[]): Promise<string> {
  const env = { ...process.env, DOCKER_BUILDKIT: '0' }
  return (await run('docker', args, { env, timeout: 900_000, maxBuffer: 64 << 20 })).stdout.trim()
}

/** Builds `baseImage`. */
export const buildBaseImage = () => docker(['build', '--quiet', '--network', 'host', '--tag', baseImage, home])

/** Removes containers and networks left by an error or Ctrl-C. */
export function removeLeftovers(): void {
  const lines = (args: string[]) => execFileSync('docker', args, { encoding: 'utf8' }).split('\n').filter(Boolean)
  const filter = ['--quiet', '--filter', `label=${label}`]
  for (const id of lines(['ps', '--all', ...filter])) execFileSync('docker', ['rm', '--force', '--volumes', id])
  for (const id of lines(['network', 'ls', ...filter])) execFileSync('docker', ['network', 'rm', id])
}
