import { join } from 'node:path'
import type { Runtime } from '../base/runtime.ts'
import type { RequestCounts, WorkerRequests } from '../front/requests/request-counts.ts'
import { readContainerUsage } from '../processes/adapters/container-usage.ts'
import { usageOfGroups } from '../processes/adapters/group-usage.ts'
import { type CpuSample, sampleCpu } from '../processes/cpu-share.ts'
import type { ContainerUsage, ProcessUsage, WorkerLoad } from '../processes/usage.ts'
import type { Processes } from '../programs/processes.ts'
import type { Apps } from '../workers/apps.ts'
import type { RequestReader } from './requests.ts'
import type { Run } from './run.ts'
import type { Status } from './status.ts'

/** Dependencies of the sampler. */
export interface UsageDeps {
  clock: Runtime['clock']
  run: Pick<Run, 'settings'>
  apps: Apps
  processes: Pick<Processes, 'status'>
  requests: RequestReader
}

/** What workers, processes and the container use at one moment. */
export interface UsageSample {
  /** Time on the monotonic clock. */
  at: number
  /** By process group. */
  groups: ReadonlyMap<number, ProcessUsage>
  counts: RequestCounts | undefined
  /** Share of the time since the sample before that the requests of a worker took, by worker. */
  busy: ReadonlyMap<string, number>
  container: ContainerUsage
}

/** Sampler of usage: nothing is looked at until somebody asks. */
export function createUsageSampler({ clock, run, apps, processes, requests }: UsageDeps) {
  const before = new Map<number, CpuSample>()
  const busyBefore = new Map<string, CpuSample>()

  async function sample(): Promise<UsageSample> {
    const { config } = run.settings()
    const members = [...apps.status().workers, ...(processes.status().processes ?? [])]
    const pids = new Map(
      members.flatMap(({ pid, uptimeSeconds }): [number, number | undefined][] =>
        pid === undefined ? [] : [[pid, uptimeSeconds]],
      ),
    )
    const [counts, container] = await Promise.all([
      requests.read(),
      readContainerUsage([
        { name: 'run_dir', path: config.run_dir },
        { name: 'state_dir', path: config.state_dir },
        ...(config.cache ? [{ name: 'cache', path: join(config.run_dir, 'nginx') }] : []),
        ...(config.temp_dir === undefined ? [] : [{ name: 'temp_dir', path: config.temp_dir }]),
      ]),
    ])
    const at = clock.monotonic()
    const groups = usageOfGroups(new Set(pids.keys()))
    for (const [pid, usage] of groups) {
      const sample = sampleCpu(before.get(pid), { at, cpuSeconds: usage.cpuSeconds }, pids.get(pid))
      if (sample.cpu !== undefined) usage.cpu = sample.cpu
      before.set(pid, sample)
    }
    for (const pid of before.keys()) if (!groups.has(pid)) before.delete(pid)
    return { at, groups, counts, busy: busyShares(at, counts), container }
  }

  function busyShares(at: number, counts: RequestCounts | undefined): Map<string, number> {
    const shares = new Map<string, number>()
    for (const { worker, busySeconds } of counts?.workers ?? []) {
      // as with CPU time, a worker may do more than a second's work in one
      const taken = sampleCpu(busyBefore.get(worker), { at, cpuSeconds: busySeconds }, undefined)
      busyBefore.set(worker, taken)
      if (taken.cpu !== undefined) shares.set(worker, Math.min(1, taken.cpu))
    }
    return shares
  }

  return { sample }
}

/** Status with what its programs use. */
export function withUsage(
  { workers = [], processes = [] }: Pick<Partial<Status>, 'workers' | 'processes'>,
  { groups, counts, container }: UsageSample,
  apps: Pick<Apps, 'pools'>,
): Pick<Status, 'workers' | 'processes' | 'container'> {
  const requests = new Map(counts?.workers.map(one => [one.worker, one]))
  return {
    workers: workers.map(worker => {
      const own = requests.get(worker.name)
      const usage = worker.pid === undefined ? undefined : groups.get(worker.pid)
      const loop = apps.pools
        .get(worker.name.replace(/\.\d+$/, ''))
        ?.worker(worker.name)
        ?.reports.loop()
      return {
        ...worker,
        usage: usage && {
          ...usage,
          ...(loop ? { loopDelay: loop.delay, loopUse: loop.use } : {}),
          ...(own?.queue === undefined ? {} : { queue: own.queue }),
        },
        requests: counts && loadOf(own),
      }
    }),
    processes: processes.map(one => ({ ...one, usage: one.pid === undefined ? undefined : groups.get(one.pid) })),
    container,
  }
}

function loadOf(found: WorkerRequests | undefined): WorkerLoad {
  const { requests = 0, inFlight = 0, busySeconds = 0, oldest } = found ?? {}
  return {
    total: requests,
    inFlight,
    busySeconds,
    ...(oldest ? { oldest: { method: oldest.method, path: oldest.path, ageSeconds: oldest.ageMs / 1000 } } : {}),
  }
}
