import type { Status } from '../../run/status.ts'

/** Columns by which rows can be sorted, in the order in which a key goes through them. */
export const sorts = ['name', 'cpu', 'memory', 'requests', 'in flight', 'crashes'] as const
export type Sort = (typeof sorts)[number]

/** One worker or process. */
export interface Row {
  name: string
  state: string
  pid: number | undefined
  uptimeSeconds: number | undefined
  /** CPUs in use; 1 is a whole one. */
  cpu: number | undefined
  memory: number | undefined
  requestsPerSecond: number | undefined
  inFlight: number | undefined
  /** Oldest request in flight: `POST /orders 12s`. */
  oldest: string | undefined
  /** Delay of the event loop in seconds. */
  loopDelay: number | undefined
  crashes: number
  replacements: number
}

/** Status with the time at which it was read, in ms on a monotonic clock. */
export interface Sample {
  status: Status
  at: number
}

/** Rows of a sample. Rates need an earlier one. */
export function rowsOf({ status, at }: Sample, earlier: Sample | undefined): Row[] {
  const before = new Map(earlier?.status.workers.map(({ name, pid, requests }) => [`${name} ${pid}`, requests?.total]))
  const seconds = earlier === undefined ? 0 : (at - earlier.at) / 1000
  return [...status.workers, ...status.processes].map(worker => {
    const { name, pid, uptimeSeconds, crashes, replacements } = worker
    const { usage, requests, isInRotation = true } = worker as Partial<Status['workers'][number]>
    const { health } = worker as Partial<Status['processes'][number]>
    const total = before.get(`${name} ${pid}`)
    const { oldest } = requests ?? {}
    return {
      ...{ name, pid, uptimeSeconds, crashes, replacements },
      state: describeState(worker, { isInRotation, failedChecks: health?.failures ?? 0 }),
      cpu: usage?.cpu,
      memory: usage?.rss,
      requestsPerSecond:
        requests === undefined || total === undefined || seconds === 0
          ? undefined
          : Math.max(0, requests.total - total) / seconds,
      inFlight: requests?.inFlight,
      oldest: oldest && `${formatAge(oldest.ageSeconds)} ${oldest.method} ${oldest.path}`,
      loopDelay: usage?.loopDelay,
    }
  })
}

function describeState(
  { state, waitsFor }: Pick<Status['workers'][number] | Status['processes'][number], 'state' | 'waitsFor'>,
  { isInRotation, failedChecks }: { isInRotation: boolean; failedChecks: number },
): string {
  if (state === 'pending') return `waits for ${waitsFor?.join(', ')}`
  if (failedChecks > 0) return `${state}, unhealthy`
  return isInRotation ? state : `${state}, not in nginx`
}

const values: Record<Exclude<Sort, 'name'>, (row: Row) => number | undefined> = {
  cpu: row => row.cpu,
  memory: row => row.memory,
  requests: row => row.requestsPerSecond,
  'in flight': row => row.inFlight,
  crashes: row => row.crashes,
}

/** Rows in their order: by name, or with the largest value first. */
export function sortRows(rows: readonly Row[], sort: Sort): Row[] {
  const byName = rows.toSorted((one, other) => one.name.localeCompare(other.name, 'en', { numeric: true }))
  if (sort === 'name') return byName
  const value = values[sort]
  return byName.toSorted((one, other) => (value(other) ?? -1) - (value(one) ?? -1))
}

/** Age in its largest unit: `45s`, `12m`, `3h`, `9d`. */
export function formatAge(seconds: number): string {
  const [size, unit] =
    seconds < 100 ? [1, 's'] : seconds < 6000 ? [60, 'm'] : seconds < 172_800 ? [3600, 'h'] : [86_400, 'd']
  return `${Math.floor(seconds / Number(size))}${unit}`
}
