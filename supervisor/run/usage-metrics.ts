import { type Labels, type Metric, measured } from '../base/metrics.ts'
import { requestMetrics } from '../front/requests/request-metrics.ts'
import type { ContainerUsage, ProcessUsage } from '../processes/usage.ts'
import { readOwnUsage } from './adapters/own-usage.ts'
import { type UsageDeps, type UsageSample, withUsage } from './usage.ts'

/** Metrics of requests, workers, processes and the container, from a sample. */
export function usageMetrics(
  { apps, processes }: Pick<UsageDeps, 'apps' | 'processes'>,
  sample: UsageSample,
): Metric[] {
  const found = withUsage({ ...apps.status(), ...processes.status() }, sample, apps)
  const workers = found.workers.map(worker => ({
    labels: { app: ownerOf(worker.name), worker: worker.name },
    ...worker,
  }))
  const ofWorkers = (
    type: 'gauge' | 'counter',
    name: string,
    help: string,
    read: (worker: (typeof workers)[number]) => number | undefined,
  ) =>
    measured(
      type,
      name,
      help,
      workers.map(worker => ({ labels: worker.labels, value: read(worker) })),
    )
  return [
    ...(sample.counts ? requestMetrics(sample.counts) : []),
    ofWorkers(
      'counter',
      'worker_requests_total',
      'Requests that a worker responded to',
      ({ requests }) => requests?.total,
    ),
    ofWorkers(
      'gauge',
      'worker_requests_in_flight',
      'Requests that a worker has not responded to',
      ({ requests }) => requests?.inFlight,
    ),
    ofWorkers(
      'gauge',
      'worker_oldest_request_seconds',
      'Age of the oldest request in flight, without WebSockets',
      ({ requests }) => requests && (requests.oldest?.ageSeconds ?? 0),
    ),
    ofWorkers(
      'counter',
      'worker_busy_seconds_total',
      'Time that the requests of a worker took, all added',
      ({ requests }) => requests?.busySeconds,
    ),
    ofWorkers(
      'gauge',
      'worker_busy_ratio',
      'Share of the time in which a worker was busy: its event loop (Node), or its requests',
      ({ usage, name }) => usage?.loopUse ?? sample.busy.get(name),
    ),
    ofWorkers(
      'gauge',
      'worker_event_loop_delay_seconds',
      'Delay of the event loop of a Node worker at its last sign of life',
      ({ usage }) => usage?.loopDelay,
    ),
    ofWorkers(
      'gauge',
      'worker_event_loop_utilization_ratio',
      'Share of the time in which the event loop of a Node worker was busy',
      ({ usage }) => usage?.loopUse,
    ),
    ofWorkers(
      'gauge',
      'worker_queue_length',
      'Connections that wait in the socket of a worker',
      ({ usage }) => usage?.queue,
    ),
    ...programMetrics('worker', workers),
    ...programMetrics(
      'process',
      found.processes.map(({ name, usage }) => ({ labels: { process: ownerOf(name), worker: name }, usage })),
    ),
    ...(found.container ? containerMetrics(found.container) : []),
    ...ownMetrics(),
  ]
}

function programMetrics(
  kind: 'worker' | 'process',
  programs: readonly { labels: Labels; usage?: ProcessUsage | undefined }[],
): Metric[] {
  const each = (read: (usage: ProcessUsage) => number | undefined) =>
    programs.map(({ labels, usage }) => ({ labels, value: usage && read(usage) }))
  return [
    measured(
      'gauge',
      `${kind}_resident_memory_bytes`,
      `Resident memory of a ${kind} and its children`,
      each(({ rss }) => rss),
    ),
    measured(
      'counter',
      `${kind}_cpu_seconds_total`,
      `CPU time of a ${kind} and its children`,
      each(({ cpuSeconds }) => cpuSeconds),
    ),
    measured(
      'gauge',
      `${kind}_open_fds`,
      `Open files of a ${kind} and its children`,
      each(({ descriptors }) => descriptors),
    ),
  ]
}

function containerMetrics(found: ContainerUsage): Metric[] {
  const one = (type: 'gauge' | 'counter', name: string, help: string, value: number | undefined) =>
    measured(type, `container_${name}`, help, [{ labels: {}, value }])
  const disks = (read: (disk: ContainerUsage['disks'][number]) => number) =>
    found.disks.map(disk => ({ labels: { directory: disk.name, path: disk.path }, value: read(disk) }))
  return [
    one('counter', 'cpu_seconds_total', 'CPU time of the container', found.cpuSeconds),
    one('gauge', 'cpus', 'CPUs that the container may use', found.cpus),
    one(
      'counter',
      'cpu_throttled_seconds_total',
      'Time for which the container waited for its quota of CPU',
      found.throttledSeconds,
    ),
    one('gauge', 'memory_bytes', 'Memory of the container, without files that the kernel may drop', found.memory),
    one('gauge', 'memory_limit_bytes', 'Memory that the container may use', found.memoryLimit),
    one('counter', 'oom_kills_total', 'Processes of the container that the kernel killed for memory', found.oomKills),
    measured(
      'gauge',
      'disk_free_bytes',
      'Free space for a directory',
      disks(({ free }) => free),
    ),
    measured(
      'gauge',
      'disk_size_bytes',
      'Size of the disk of a directory',
      disks(({ size }) => size),
    ),
  ]
}

/** Those of the supervisor itself, with the names that every Prometheus client uses. */
function ownMetrics(): Metric[] {
  const { cpuSeconds, rss, startedAt } = readOwnUsage()
  const own = (type: 'gauge' | 'counter', name: string, help: string, value: number): Metric => ({
    ...measured(type, name, help, [{ labels: {}, value }]),
    prefix: 'process_',
  })
  return [
    own('counter', 'cpu_seconds_total', 'CPU time of the supervisor', cpuSeconds),
    own('gauge', 'resident_memory_bytes', 'Resident memory of the supervisor', rss),
    own('gauge', 'start_time_seconds', 'Start of the supervisor, in Unix time', startedAt),
  ]
}

/** Program that a process belongs to: `app` for `app.1`. */
function ownerOf(name: string): string {
  return name.replace(/\.\d+$/, '')
}
