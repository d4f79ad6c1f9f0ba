import { type Labels, type Metric, measured } from '../../base/metrics.ts'
import { bucketBounds, type RequestCounts, type RequestSeries } from './request-counts.ts'

/** Metrics of the requests that nginx counts, with OpenTelemetry's names where it has one. */
export function requestMetrics({ series, active, rejected, cache, dropped }: RequestCounts): Metric[] {
  const routes = sumByRoute(series)
  return [
    {
      ...{ prefix: '', name: 'http_server_request_duration_seconds', type: 'histogram' },
      help: 'Time from the first byte of a request until its response was sent',
      samples: [],
      histogram: {
        bounds: bucketBounds,
        distributions: series.map(({ method, status, scheme, buckets, count, seconds, ...route }) => ({
          labels: {
            ...routeLabels(route),
            http_request_method: method,
            http_response_status_code: String(status),
            url_scheme: scheme,
          },
          counts: buckets,
          count,
          sum: seconds,
        })),
      },
    },
    {
      ...{ prefix: '', name: 'http_server_active_requests', type: 'gauge' },
      help: 'Requests to an app or upstream that have not ended',
      samples: active.map(({ app, upstream, count }) => ({ labels: { app, upstream }, value: count })),
    },
    measured(
      'counter',
      'http_backend_seconds_total',
      'Time until apps and upstreams had responded, of all tries',
      routes.map(({ labels, workerSeconds }) => ({ labels, value: workerSeconds })),
    ),
    measured(
      'counter',
      'http_bytes_total',
      'Bytes received from clients (in) and sent to them (out), with headers',
      routes.flatMap(({ labels, bytesIn, bytesOut }) => [
        { labels: { ...labels, direction: 'in' }, value: bytesIn },
        { labels: { ...labels, direction: 'out' }, value: bytesOut },
      ]),
    ),
    measured(
      'counter',
      'http_rejections_total',
      'Requests that nginx rejected: rate, connections, overload, body_size, auth, access, host',
      rejected.map(({ reason, count }) => ({ labels: { reason }, value: count })),
    ),
    measured(
      'counter',
      'http_dropped_counts_total',
      'Numbers that nginx dropped because its memory for them was full',
      [{ labels: {}, value: dropped }],
    ),
    measured(
      'counter',
      'cache_requests_total',
      'Requests to routes with a cache by result',
      cache.map(({ result, count }) => ({ labels: { result }, value: count })),
    ),
  ]
}

type RouteOfSeries = Pick<RequestSeries, 'app' | 'upstream' | 'route' | 'host'>

function routeLabels({ app, upstream, route, host }: RouteOfSeries): Labels {
  return { app, upstream, http_route: route === '' ? undefined : route, server_address: host }
}

interface RouteSums {
  labels: Labels
  workerSeconds: number
  bytesIn: number
  bytesOut: number
}

function sumByRoute(series: readonly RequestSeries[]): RouteSums[] {
  const sums = new Map<string, RouteSums>()
  for (const { workerSeconds, bytesIn, bytesOut, ...route } of series) {
    const labels = routeLabels(route)
    const key = JSON.stringify(labels)
    const sum = sums.get(key) ?? { labels, workerSeconds: 0, bytesIn: 0, bytesOut: 0 }
    sum.workerSeconds += workerSeconds
    sum.bytesIn += bytesIn
    sum.bytesOut += bytesOut
    sums.set(key, sum)
  }
  return [...sums.values()]
}
