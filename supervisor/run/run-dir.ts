import { join } from 'node:path'
import { messageOf } from '../base/errors.ts'
import type { Runtime } from '../base/runtime.ts'
import { adminSocketName, healthSocketName } from '../site/compose.ts'
import type { WorkerPool } from '../workers/pool.ts'
import { type Instance, isThere, makeRunDir } from './adapters/instance.ts'
import { watchRunDir } from './run-dir-watch.ts'
import type { Subject } from './subject.ts'

/** What is there from the start to the stop. */
const lasting = ['instance.json', adminSocketName, healthSocketName, 'nginx/current/nginx.conf']

export interface RunDirDeps extends Pick<Runtime, 'clock' | 'log'> {
  folder: string
  instance: Instance
  pools: ReadonlyMap<string, WorkerPool>
  isDraining(): boolean
}

/** Tells when somebody empties the run folder. */
export function openRunDirWatch({ clock, log, folder, instance, pools, isDraining }: RunDirDeps): Subject {
  const watch = watchRunDir({
    clock,
    log,
    missing: () => (isDraining() ? [] : expected(folder, pools).filter(path => !isThere(path))),
    noteAgain() {
      try {
        makeRunDir(folder)
        instance.update({})
      } catch (error) {
        log.warn('cannot note again in run_dir that monohull runs', { error: messageOf(error) })
      }
    },
  })
  return { name: 'run_dir', close: watch.close }
}

/** The ways to the workers lead through links: one whose socket is gone counts as gone. */
function expected(folder: string, pools: RunDirDeps['pools']): string[] {
  const addresses = [...pools.values()].flatMap(pool => pool.rotation().map(({ address }) => address))
  return [
    ...lasting.map(name => join(folder, name)),
    ...addresses.flatMap(address => (address.kind === 'unix' ? [address.path] : [])),
  ]
}
