import { readVersion } from '../base/adapters/version.ts'
import type { Runtime } from '../base/runtime.ts'
import type { World } from '../base/world.ts'
import type { Maintenance } from '../front/maintenance/maintenance.ts'
import { type MaintenanceSwitch, shareMaintenance } from '../front/maintenance/shared.ts'
import type { SharedState } from '../shared-state/state.ts'
import { findInstanceId } from './adapters/instance-id.ts'
import { type ClusterMember, introduction, listCluster } from './cluster.ts'
import type { Events } from './events.ts'
import type { Run } from './run.ts'

/** Dependencies of `shareRun`. */
export interface SharingDeps extends Pick<Runtime, 'clock'> {
  run: Run
  world: Pick<World, 'home'>
  record: { events: Pick<Events, 'read'> }
  maintenance: Maintenance
}

/** What instances with one shared state have in common beside jobs and certificates. */
export interface Sharing {
  maintenance: MaintenanceSwitch
  cluster(): Promise<ClusterMember[]>
  /** Tells the others at once how this instance is. */
  introduce(): void
}

/** Introduces this instance to the others, and shares the switch of maintenance with them. */
export function shareRun(state: SharedState, { clock, run, world, record, maintenance }: SharingDeps): Sharing {
  const version = readVersion(world.home)
  const { certificates, config } = run.settings()
  const { hostname: host } = certificates
  const own = { host, instance: findInstanceId({ stateDir: config.state_dir, host }), version, startedAt: clock.now() }
  const introduce = () =>
    state.introduce(() => introduction({ ...own, now: clock.now(), status: run.status(), events: record.events }))
  introduce()
  return {
    maintenance: run.add(shareMaintenance(maintenance, state)),
    cluster: () => listCluster(state, clock.now()),
    introduce,
  }
}
