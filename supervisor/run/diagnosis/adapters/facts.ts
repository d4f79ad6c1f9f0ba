import { lookup } from 'node:dns/promises'
import { existsSync, statfsSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { findTransience } from '../../../base/adapters/mounts.ts'
import { systemClock } from '../../../base/adapters/system-clock.ts'
import { messageOf } from '../../../base/errors.ts'
import type { World } from '../../../base/world.ts'
import { acmeSettingsOf } from '../../../certificates/acme/settings.ts'
import { grantedCpus, readMemoryGroup } from '../../../processes/adapters/cgroup.ts'
import { openFilesLimit } from '../../../processes/adapters/limits.ts'
import { memoryOfGroups } from '../../../processes/adapters/procfs.ts'
import type { Settings } from '../../../site/settings.ts'
import type { Status } from '../../status.ts'
import type { DiagnosisFacts, DiskFacts, Surroundings } from '../facts.ts'

/** Time for the CA to respond. */
const authorityMs = 3000

/** Facts about this machine, and about the instance that runs on it. */
export async function readFacts(
  settings: Settings,
  { world, running }: { world: World; running: Status | undefined },
): Promise<DiagnosisFacts> {
  const { config } = settings
  const acme = acmeSettingsOf(config)
  const group = readMemoryGroup()
  const [authority, names] = await Promise.all([
    acme && askAuthority(acme.directory, acme.caFile !== undefined),
    Promise.all((acme?.plans ?? []).flatMap(({ domains }) => domains).map(resolveDomain)),
  ])
  return {
    surroundings: surroundingsOf(world),
    platform: config.platform === 'none' ? undefined : config.platform,
    cpus: grantedCpus(),
    memory: { limit: group.limit(), used: group.used() },
    workerMemory: memoryByApp(running),
    transience: findTransience(existingDirectory(config.state_dir)),
    disks: [
      { key: 'run_dir', path: config.run_dir },
      { key: 'state_dir', path: config.state_dir },
      ...(config.temp_dir === undefined ? [] : [{ key: 'temp_dir', path: config.temp_dir }]),
    ].flatMap(readDisk),
    openFiles: openFilesLimit(),
    clock: { now: systemClock.now(), passed: newestOwnFile(world.home) },
    authority,
    names,
    running,
  }
}

function surroundingsOf({ env }: World): Surroundings {
  if (env.KUBERNETES_SERVICE_HOST) return 'kubernetes'
  return env.MONOHULL_IMAGE === '1' || existsSync('/.dockerenv') || existsSync('/run/.containerenv')
    ? 'container'
    : 'host'
}

function memoryByApp(running: Status | undefined): Map<string, number> {
  const workers = running?.workers ?? []
  const bytes = memoryOfGroups(workers.flatMap(({ pid }) => pid ?? []))
  const byApp = new Map<string, number>()
  for (const { name, pid } of workers) {
    const app = name.replace(/\.\d+$/, '')
    byApp.set(app, (byApp.get(app) ?? 0) + (bytes.get(pid ?? 0) ?? 0))
  }
  return byApp
}

function existingDirectory(path: string): string {
  return existsSync(path) ? path : existingDirectory(dirname(path))
}

function readDisk({ key, path }: { key: string; path: string }): DiskFacts[] {
  try {
    const { bavail, blocks, bsize, ffree, files } = statfsSync(existingDirectory(path))
    return [{ key, path, freeBytes: bavail * bsize, bytes: blocks * bsize, freeFiles: ffree, files }]
  } catch {
    return [] // not visible to this user; the inspection reports what cannot be used
  }
}

/** A time that has passed, whatever the clock says: that of monohull's own program. */
function newestOwnFile(home: string): { time: number; evidence: string } | undefined {
  const path = join(home, 'dist/monohull.cjs')
  const found = statSync(path, { throwIfNoEntry: false })
  return found && { time: found.mtimeMs, evidence: path }
}

async function resolveDomain(domain: string): Promise<DiagnosisFacts['names'][number]> {
  const key = 'tls.acme.domains'
  const name = domain.replace(/^\*\./, '')
  try {
    await lookup(name)
    return { name, key, problem: undefined }
  } catch (error) {
    return { name, key, problem: messageOf(error) }
  }
}

/** The clock of the CA, from its Date header. A CA whose certificate this process does not know is not asked. */
async function askAuthority(url: string, hasOwnCa: boolean): Promise<DiagnosisFacts['authority']> {
  if (hasOwnCa) return undefined
  const began = systemClock.now()
  try {
    const response = await fetch(url, { method: 'HEAD', signal: AbortSignal.timeout(authorityMs) })
    const date = Date.parse(response.headers.get('date') ?? '')
    const aheadMs = Number.isNaN(date) ? undefined : date - (began + systemClock.now()) / 2
    return { url, aheadMs, problem: undefined }
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
    return { url, aheadMs: undefined, problem: messageOf(cause) }
  }
}
