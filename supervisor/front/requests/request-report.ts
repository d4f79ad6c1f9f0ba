import type { CountedRoute } from './counted-route.ts'
import {
  type ActiveRequests,
  bucketBounds,
  type RequestCounts,
  type RequestSeries,
  type WorkerRequests,
} from './request-counts.ts'

/** Context of a report. */
export interface ReportContext {
  /** Counted routes by their id. */
  routes: ReadonlyMap<string, CountedRoute>
  /** Time in ms since the Unix epoch. */
  now: number
  /** Workers by the inode of their socket. */
  sockets: ReadonlyMap<number, string>
}

/** Counts in the text of nginx's report, and the ids of routes that are not configured. */
export function parseReport(
  text: string,
  { routes, now, sockets }: ReportContext,
): { counts: RequestCounts; unknown: string[] } {
  const series = new Map<string, RequestSeries>()
  const active = new Map<string, ActiveRequests>()
  const addresses = new Map<string, number>()
  const workers = new Map<string, WorkerRequests>()
  const counts: RequestCounts = {
    series: [],
    active: [],
    addresses: [],
    rejected: [],
    cache: [],
    workers: [],
    dropped: 0,
  }
  const unknown = new Set<string>()

  const labelsOf = (id: string): CountedRoute | undefined => (id === '' ? { route: '' } : routes.get(id))

  function workerOf(name: string): WorkerRequests {
    const found = workers.get(name) ?? { worker: name, requests: 0, inFlight: 0, busySeconds: 0 }
    workers.set(name, found)
    return found
  }

  function readSeries([id = '', method = '', status, scheme = '', field = '', value]: string[]): void {
    const labels = labelsOf(id)
    if (!labels) return void unknown.add(id)
    const key = `${keyOf(labels)} ${method} ${status} ${scheme}`
    let found = series.get(key)
    if (!found) {
      found = { ...labels, method, status: Number(status), scheme, ...emptyCounts() }
      series.set(key, found)
    }
    addField(found, field, Number(value))
  }

  function readActive(id: string, count: number): void {
    const { app, upstream } = labelsOf(id) ?? {}
    if (app === undefined && upstream === undefined) return
    const target = app === undefined ? { upstream: `${upstream}` } : { app }
    const key = JSON.stringify(target)
    active.set(key, { ...target, count: (active.get(key)?.count ?? 0) + count })
  }

  function readOldest([, name = '', start, method = '', path = '']: string[]): void {
    const worker = workerOf(name)
    const ageMs = Math.max(0, Math.round(now - Number(start) * 1000))
    if (!worker.oldest || worker.oldest.ageMs < ageMs) worker.oldest = { method, path, ageMs }
  }

  function readQueue(inode: number, length: number): void {
    const name = sockets.get(inode)
    if (name === undefined) return
    const worker = workerOf(name)
    worker.queue = (worker.queue ?? 0) + length
  }

  for (const line of text.split('\n')) {
    const words = line.split(' ')
    const [first = '', second = '', third] = words
    if (words.length === 6) readSeries(words)
    else if (first === 'route') readActive(second, Number(third))
    else if (first === 'address') addresses.set(second, (addresses.get(second) ?? 0) + Number(third))
    else if (first === 'worker') workerOf(second).inFlight += Number(third)
    else if (first === 'oldest') readOldest(words)
    else if (first === 'queue') readQueue(Number(second), Number(third))
    else if (first === 'dropped') counts.dropped = Number(second)
    else if (first === 'rejected') counts.rejected.push({ reason: second, count: Number(words[3]) })
    else if (first === 'cache') counts.cache.push({ result: second, count: Number(words[3]) })
    else if (second === 'n') workerOf(first).requests += Number(third)
    else if (second === 'w') workerOf(first).busySeconds += Number(third)
  }
  counts.series = [...series.values()]
  counts.active = [...active.values()]
  counts.addresses = [...addresses].map(([address, count]) => ({ address, count }))
  counts.workers = [...workers.values()].sort((one, other) =>
    one.worker.localeCompare(other.worker, 'en', { numeric: true }),
  )
  return { counts, unknown: [...unknown] }
}

function keyOf({ app, upstream, route, host }: CountedRoute): string {
  return `${app ?? ''} ${upstream ?? ''} ${host ?? ''} ${route}`
}

function emptyCounts() {
  return { count: 0, seconds: 0, buckets: bucketBounds.map(() => 0), workerSeconds: 0, bytesIn: 0, bytesOut: 0 }
}

function addField(series: RequestSeries, field: string, value: number): void {
  switch (field) {
    case 'n':
      series.count += value
      return
    case 's':
      series.seconds += value
      return
    case 'w':
      series.workerSeconds += value
      return
    case 'i':
      series.bytesIn += value
      return
    case 'o':
      series.bytesOut += value
      return
    default:
      series.buckets[Number(field) - 1] = (series.buckets[Number(field) - 1] ?? 0) + value
  }
}
