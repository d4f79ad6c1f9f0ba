import type { CertificateStatus, CertificatesStatus } from './certificate-status.ts'
import type { Status } from './status.ts'

/** The type of what `formatMetrics` gives. */
export const metricsType = 'text/plain; version=0.0.4; charset=utf-8'

interface Sample {
  labels: Record<string, string>
  value: number
}

const states = ['idle', 'booting', 'serving', 'replacing', 'waiting', 'stopped']

/** The status as Prometheus reads it (text exposition format 0.0.4). */
export function formatMetrics({
  state,
  uptimeSeconds,
  workers,
  processes,
  dynamicRoutes,
  certificates,
}: Status): string {
  const alone = (value: number): Sample[] => [{ labels: {}, value }]
  return [
    ...metric('ready', 'gauge', 'Whether it is ready to serve', alone(state === 'ready' ? 1 : 0)),
    ...metric('uptime_seconds', 'gauge', 'Seconds since the start', alone(uptimeSeconds)),
    ...metric('workers', 'gauge', 'Workers of an app by state', countStates('app', states, workers)),
    ...metric(
      'worker_restarts_total',
      'counter',
      'How often a worker was started anew',
      workers.map(({ name, restarts }) => ({ labels: { app: ownerOf(name), worker: name }, value: restarts })),
    ),
    ...metric(
      'processes',
      'gauge',
      'Processes without a socket by state',
      countStates('process', ['running', ...states], processes),
    ),
    ...metric(
      'process_restarts_total',
      'counter',
      'How often a process was started anew',
      processes.map(({ name, restarts }) => ({ labels: { process: ownerOf(name), worker: name }, value: restarts })),
    ),
    ...(dynamicRoutes
      ? [
          ...metric('dynamic_routes', 'gauge', 'Hosts with a dynamic route', alone(dynamicRoutes.routes)),
          ...metric(
            'dynamic_routes_readable',
            'gauge',
            'Whether the store of dynamic routes can be read',
            alone(dynamicRoutes.problem === undefined ? 1 : 0),
          ),
        ]
      : []),
    ...(certificates ? describeCertificates(certificates) : []),
  ]
    .join('\n')
    .concat('\n')
}

function describeCertificates({ served, awaited, problems }: CertificatesStatus): string[] {
  // one that another has taken the place of says nothing
  const presented = served.filter(({ servesFor }) => servesFor.length > 0)
  const each = (read: (one: (typeof presented)[number]) => number) =>
    presented.map(one => ({
      // of those on demand there may be thousands: the first that ends counts for all
      labels: { names: isOnDemand(one) ? '' : one.names.join(','), source: one.source, key_type: one.keyType },
      value: read(one),
    }))
  const onDemand = served.filter(isOnDemand)
  const renewals = [...presented.flatMap(one => (isOnDemand(one) ? [] : (one.renewal ?? []))), ...awaited]
  const planned = renewals.flatMap(({ name, at }) =>
    Date.parse(at) > 0 ? [{ labels: { name }, value: seconds(at) }] : [],
  )
  const failing = renewals.map(({ name, lastError }) => ({ labels: { name }, value: lastError === undefined ? 0 : 1 }))
  return [
    ...metric(
      'certificate_expiry_timestamp_seconds',
      'gauge',
      'When a certificate ends, in Unix time',
      each(({ notAfter }) => seconds(notAfter)),
    ),
    ...metric(
      'certificate_start_timestamp_seconds',
      'gauge',
      'When a certificate begins to be valid, in Unix time',
      each(({ notBefore }) => seconds(notBefore)),
    ),
    ...metric(
      'certificate_renewal_timestamp_seconds',
      'gauge',
      'When a certificate is ordered or made next, in Unix time',
      planned,
    ),
    ...metric(
      'certificate_renewal_failed',
      'gauge',
      'Whether the last attempt to obtain a certificate failed',
      failing,
    ),
    ...(onDemand.length > 0 ? describeOnDemand(onDemand) : []),
    ...metric('certificate_problems', 'gauge', 'Certificate files that are not served for what is wrong with them', [
      { labels: {}, value: problems.length },
    ]),
  ]
}

function isOnDemand({ source }: CertificateStatus): boolean {
  return source === 'on-demand'
}

function describeOnDemand(all: readonly CertificateStatus[]): string[] {
  const failing = all.filter(({ renewal }) => renewal?.lastError !== undefined)
  return [
    ...metric('certificates_on_demand', 'gauge', 'Certificates that were obtained at the first handshake for a name', [
      { labels: {}, value: all.length },
    ]),
    ...metric('certificates_on_demand_failing', 'gauge', 'Those of them whose last attempt at a renewal failed', [
      { labels: {}, value: failing.length },
    ]),
  ]
}

function seconds(iso: string): number {
  return Date.parse(iso) / 1000
}

/** `app` of `app.1` */
function ownerOf(name: string): string {
  return name.replace(/\.\d+$/, '')
}

/** Every state, so that none vanishes when nobody is in it. */
function countStates(
  label: string,
  known: readonly string[],
  members: readonly { name: string; state: string }[],
): Sample[] {
  const owners = [...new Set(members.map(({ name }) => ownerOf(name)))]
  return owners.flatMap(owner =>
    known.map(state => ({
      labels: { [label]: owner, state },
      value: members.filter(member => ownerOf(member.name) === owner && member.state === state).length,
    })),
  )
}

/** Lines of one metric; of two samples with the same labels the lower counts, since there may be one only. */
function metric(name: string, type: 'gauge' | 'counter', help: string, samples: readonly Sample[]): string[] {
  const full = `monohull_${name}`
  const lowest = new Map<string, number>()
  for (const { labels, value } of samples) {
    const key = formatLabels(labels)
    lowest.set(key, Math.min(value, lowest.get(key) ?? value))
  }
  if (lowest.size === 0) return []
  return [
    `# HELP ${full} ${help}`,
    `# TYPE ${full} ${type}`,
    ...[...lowest].map(([labels, value]) => `${full}${labels} ${value}`),
  ]
}

function formatLabels(labels: Record<string, string>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeValue(value)}"`)
  return pairs.length > 0 ? `{${pairs.join(',')}}` : ''
}

function escapeValue(value: string): string {
  return value.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n')
}
