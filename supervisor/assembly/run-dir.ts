import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { makeRunDir } from '../adapters/instance.ts'
import type { LocalServer } from '../admin/server.ts'
import { systemClock } from '../base/clock.ts'
import { messageOf } from '../base/errors.ts'
import { watchRunDir } from '../services/run-dir-watch.ts'
import { adminSocketName, healthSocketName } from './nginx-model.ts'
import type { Parts } from './parts.ts'

/** What is there from the start to the stop. */
const lasting = ['instance.json', adminSocketName, healthSocketName, 'nginx/current/nginx.conf']

/** Tells when somebody empties the run folder. */
export function watchOwnRunDir(parts: Parts): LocalServer {
  const { log } = parts
  const folder = parts.settings.config.run_dir
  return watchRunDir({
    clock: systemClock,
    log,
    missing: () => (parts.isDraining ? [] : expected(parts, folder).filter(path => !existsSync(path))),
    noteAgain() {
      try {
        makeRunDir(folder)
        parts.instance?.update({})
      } catch (error) {
        log.warn('cannot note again in run_dir that monohull runs', { error: messageOf(error) })
      }
    },
  })
}

/** The ways to the workers lead through links: one whose socket is gone counts as gone. */
function expected({ pools }: Parts, folder: string): string[] {
  const places = [...pools.values()].flatMap(pool => pool.rotation().map(({ address }) => address))
  return [
    ...lasting.map(name => join(folder, name)),
    ...places.flatMap(address => (address.kind === 'unix' ? [address.path] : [])),
  ]
}
