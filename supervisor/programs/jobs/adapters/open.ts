import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { offsetIn } from '../../../base/adapters/time-zone.ts'
import type { JobsDeps, JobsSettings } from '../dependencies.ts'
import { createJobService, type JobService } from '../service.ts'
import { openJobStore } from './store.ts'

/** Jobs of this machine, with their states in state_dir. */
export function openJobService(deps: JobsDeps, settings: JobsSettings): JobService {
  const { state_dir, run_dir } = settings.config
  const offsets = new Map<string, ReturnType<typeof offsetIn>>()
  return createJobService(
    {
      ...deps,
      store: openJobStore(join(state_dir, 'jobs'), deps.clock),
      owner: `${hostname()}:${run_dir}`,
      newId: randomUUID,
      offsetIn(timeZone) {
        const known = offsets.get(timeZone) ?? offsetIn(timeZone)
        offsets.set(timeZone, known)
        return known
      },
      ping: async url => (await import('./ping.ts')).ping(url),
      endRun({ onFailure }, code) {
        const policy = { on_failure: onFailure === 'exit' ? 'exit' : 'restart' } as const
        deps.failures(() => policy)({ kind: 'code', code })
      },
    },
    settings,
  )
}
