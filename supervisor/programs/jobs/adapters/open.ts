import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { offsetIn } from '../../../base/adapters/time-zone.ts'
import { findMarked, signalDetached } from '../../../processes/adapters/detached.ts'
import type { SharedState } from '../../../shared-state/state.ts'
import type { JobsDeps, JobsSettings } from '../dependencies.ts'
import { joinServices, ownOf, sharedOf } from '../joined-service.ts'
import { runVariable } from '../leftovers.ts'
import { createJobService, type JobService, type JobServiceDeps } from '../service.ts'
import { createSharedJobStore } from '../shared-store.ts'
import { sharedClock, sharedJobs } from '../sharing.ts'
import { openJobStore } from './store.ts'

/** Jobs of this machine, with their states in state_dir, and those that it shares with others. */
export function openJobService(deps: JobsDeps, settings: JobsSettings): JobService {
  const { state_dir, run_dir } = settings.config
  const offsets = new Map<string, ReturnType<typeof offsetIn>>()
  const owner = `${hostname()}:${run_dir}`
  const ownDeps: JobServiceDeps = {
    ...deps,
    store: openJobStore(join(state_dir, 'jobs'), deps.clock),
    owner,
    leftovers: { find: run => findMarked(runVariable, run), signal: signalDetached },
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
  }
  const own = createJobService(ownDeps, ownOf(settings))
  const { sharedState } = deps
  return sharedState ? joinServices(own, createJobService(shareDeps(ownDeps, sharedState), sharedOf(settings))) : own
}

function shareDeps(deps: JobServiceDeps, state: SharedState): JobServiceDeps {
  return {
    ...deps,
    clock: sharedClock(deps.clock, state),
    store: createSharedJobStore(state),
    owner: `${deps.owner}#${state.id}`,
    shared: sharedJobs(state),
  }
}
