import type { LogLevel } from '../../base/log.ts'
import type { Labels, Metric } from '../../base/metrics.ts'
import type { LogLine } from '../log-ring.ts'

/** Record of a signal for one resource. */
export interface Encoded {
  /** `service.name` */
  service: string
  /** As JSON. */
  record: string
}

type Value = string | number | boolean

const severities: Record<LogLevel, number> = { debug: 5, info: 9, warn: 13, error: 17 }

/** Log record of a line. A line in JSON gives its trace id, its message and its fields. */
export function logRecord(line: LogLine): object {
  const fields = line.text.startsWith('{') ? fieldsOf(line.text) : undefined
  const { message, msg, trace_id, span_id, traceId, spanId, ...rest } = fields ?? {}
  const trace = hexadecimal(trace_id ?? traceId, 32)
  const span = hexadecimal(span_id ?? spanId, 16)
  const time = nanoseconds(Date.parse(line.time))
  return {
    timeUnixNano: time,
    observedTimeUnixNano: time,
    severityNumber: severities[line.level],
    severityText: line.level.toUpperCase(),
    body: { stringValue: String(message ?? msg ?? line.text) },
    attributes: attributes({
      'log.source': line.source,
      ...(line.pid === undefined ? {} : { 'process.pid': line.pid }),
      ...scalars(rest),
    }),
    ...(trace === undefined ? {} : { traceId: trace }),
    ...(trace === undefined || span === undefined ? {} : { spanId: span }),
  }
}

function fieldsOf(text: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function scalars(fields: Record<string, unknown>): Record<string, Value> {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([key, value]) => {
      if (value === null || value === undefined || ['level', 'time', 'pid'].includes(key)) return []
      return [[key, typeof value === 'object' ? JSON.stringify(value) : (value as Value)]]
    }),
  )
}

function hexadecimal(value: unknown, length: number): string | undefined {
  const isId = typeof value === 'string' && value.length === length && /^(?!0+$)[0-9a-f]+$/.test(value)
  return isId ? value : undefined
}

/** Metric, with counters that began at `startedMs`. */
export function metricRecord(
  { name, prefix = 'monohull_', type, help, samples, histogram }: Metric,
  { startedMs, nowMs }: { startedMs: number; nowMs: number },
): object {
  const description = help
  if (histogram) {
    const dataPoints = histogram.distributions.map(({ labels, counts, count, sum }) => ({
      attributes: attributes(semantic(labels)),
      startTimeUnixNano: nanoseconds(startedMs),
      timeUnixNano: nanoseconds(nowMs),
      count: String(Math.max(count, total(counts))),
      sum,
      bucketCounts: [...counts, Math.max(0, count - total(counts))].map(String),
      explicitBounds: histogram.bounds,
    }))
    const data = { aggregationTemporality: 2, dataPoints }
    return { name: otelNames[prefix + name] ?? prefix + name, description, unit: 's', histogram: data }
  }
  const dataPoints = samples.map(({ labels, value }) => ({
    attributes: attributes(semantic(labels)),
    timeUnixNano: nanoseconds(nowMs),
    ...(type === 'counter' ? { startTimeUnixNano: nanoseconds(startedMs) } : {}),
    asDouble: value,
  }))
  const data =
    type === 'counter'
      ? { sum: { aggregationTemporality: 2, isMonotonic: true, dataPoints } }
      : { gauge: { dataPoints } }
  return { name: otelNames[prefix + name] ?? prefix + name, description, ...data }
}

/** Names of OpenTelemetry, of which Prometheus has another spelling. */
const otelNames: Readonly<Record<string, string>> = {
  http_server_request_duration_seconds: 'http.server.request.duration',
  http_server_active_requests: 'http.server.active_requests',
  http_route: 'http.route',
  http_request_method: 'http.request.method',
  http_response_status_code: 'http.response.status_code',
  url_scheme: 'url.scheme',
  server_address: 'server.address',
}

function semantic(labels: Labels): Record<string, Value> {
  return Object.fromEntries(
    Object.entries(labels).flatMap(([name, value]) => {
      if (value === undefined) return []
      const own = otelNames[name] ?? name
      return [[own, own === 'http.response.status_code' ? Number(value) : value]]
    }),
  )
}

function total(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0)
}

const names = {
  logs: ['resourceLogs', 'scopeLogs', 'logRecords'],
  metrics: ['resourceMetrics', 'scopeMetrics', 'metrics'],
  traces: ['resourceSpans', 'scopeSpans', 'spans'],
} as const

/** Body of a request: the records by their service. */
export function requestBody(
  signal: keyof typeof names,
  records: readonly Encoded[],
  { resource, version }: { resource: Record<string, string>; version: string },
): string {
  const [ofResource, ofScope, list] = names[signal]
  const scope = JSON.stringify({ name: 'monohull', version })
  const groups = [...Map.groupBy(records, ({ service }) => service)].map(([service, own]) => {
    const described = JSON.stringify({ attributes: attributes({ ...resource, 'service.name': service }) })
    const joined = own.map(({ record }) => record).join(',')
    return `{"resource":${described},"${ofScope}":[{"scope":${scope},"${list}":[${joined}]}]}`
  })
  return `{"${ofResource}":[${groups.join(',')}]}`
}

function attributes(values: Record<string, Value>): object[] {
  return Object.entries(values)
    .filter(([, value]) => value !== '')
    .map(([key, value]) => ({ key, value: anyValue(value) }))
}

function anyValue(value: Value): object {
  if (typeof value === 'boolean') return { boolValue: value }
  if (typeof value === 'string') return { stringValue: value }
  return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value }
}

/** Time in nanoseconds since the Unix epoch, which no number holds. */
function nanoseconds(ms: number): string {
  return `${Math.floor(ms)}${String(Math.floor((ms % 1) * 1e6)).padStart(6, '0')}`
}
