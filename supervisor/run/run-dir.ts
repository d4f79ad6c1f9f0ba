import { join } from 'node:path'
import { signDirectories } from '../base/adapters/directory-signature.ts'
import { messageOf } from '../base/errors.ts'
import type { Runtime } from '../base/runtime.ts'
import { healthSocketName } from '../site/compose.ts'
import type { WorkerPool } from '../workers/pool.ts'
import { exists, type Instance, makeRunDir } from './adapters/instance.ts'
import { adminSocketName } from './adapters/instance-search.ts'
import { watchRunDir } from './run-dir-watch.ts'
import type { Subject } from './subject.ts'

/** Files that exist from startup to the stop. */
const lasting = ['instance.json', adminSocketName, healthSocketName, 'nginx/current/nginx.conf']

/** Directories with all required paths. */
const directories = ['', 'nginx', 'nginx/current']

/** Dependencies of the subject. */
export interface RunDirDeps extends Pick<Runtime, 'clock' | 'log'> {
  runDir: string
  instance: Instance
  pools: ReadonlyMap<string, WorkerPool>
  isDraining(): boolean
}

/** Subject that logs an error if files of the run directory are removed. */
export function openRunDirWatch({ clock, log, runDir, instance, pools, isDraining }: RunDirDeps): Subject {
  /** Signature of the directories when nothing was missing in them. */
  let complete: string | undefined

  function missing(): string[] {
    if (isDraining()) return []
    const now = signDirectories(directories.map(name => join(runDir, name)))
    if (now !== undefined && now === complete) return []
    const found = requiredPaths(runDir, pools).filter(path => !exists(path))
    complete = found.length === 0 ? now : undefined
    return found
  }

  const watch = watchRunDir({
    clock,
    log,
    missing,
    restoreRecord() {
      try {
        makeRunDir(runDir)
        instance.update({})
      } catch (error) {
        log.warn('cannot restore instance.json in run_dir', { error: messageOf(error) })
      }
    },
  })
  return { name: 'run_dir', close: watch.close }
}

/** Paths that must exist. nginx reaches workers through links; one whose socket was removed counts as missing. */
function requiredPaths(runDir: string, pools: RunDirDeps['pools']): string[] {
  const addresses = [...pools.values()].flatMap(pool => pool.rotation().map(({ address }) => address))
  return [
    ...lasting.map(name => join(runDir, name)),
    ...addresses.flatMap(address => (address.kind === 'unix' ? [address.path] : [])),
  ]
}
