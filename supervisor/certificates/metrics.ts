import { gauge, type Metric } from '../base/metrics.ts'
import type { CertificateStatus, CertificatesStatus } from './status.ts'

/** Metrics of the certificates and their renewals. */
export function certificateMetrics({ served, awaited, problems }: CertificatesStatus): Metric[] {
  // without those that another certificate replaced
  const presented = served.filter(({ servesFor }) => servesFor.length > 0)
  const each = (read: (one: CertificateStatus) => number) =>
    presented.map(one => ({
      // on-demand certificates can be thousands, so they share one label, and the first to expire counts
      labels: { names: isOnDemand(one) ? '' : one.names.join(','), source: one.source, key_type: one.keyType },
      value: read(one),
    }))
  const onDemand = served.filter(isOnDemand)
  const renewals = [...presented.flatMap(one => (isOnDemand(one) ? [] : (one.renewal ?? []))), ...awaited]
  return [
    {
      name: 'certificate_expiry_timestamp_seconds',
      type: 'gauge',
      help: 'Expiry of a certificate, in Unix time',
      samples: each(({ notAfter }) => seconds(notAfter)),
    },
    {
      name: 'certificate_start_timestamp_seconds',
      type: 'gauge',
      help: 'Start of the validity of a certificate, in Unix time',
      samples: each(({ notBefore }) => seconds(notBefore)),
    },
    {
      name: 'certificate_renewal_timestamp_seconds',
      type: 'gauge',
      help: 'Next order or reissue of a certificate, in Unix time',
      samples: renewals.flatMap(({ name, at }) => (at === undefined ? [] : [{ labels: { name }, value: seconds(at) }])),
    },
    {
      name: 'certificate_renewal_failed',
      type: 'gauge',
      help: 'Whether the last attempt to obtain a certificate failed',
      samples: renewals.map(({ name, lastError }) => ({ labels: { name }, value: lastError === undefined ? 0 : 1 })),
    },
    ...(onDemand.length > 0 ? onDemandMetrics(onDemand) : []),
    gauge('certificate_problems', 'Certificate files that were rejected as unusable', problems.length),
  ]
}

function onDemandMetrics(all: readonly CertificateStatus[]): Metric[] {
  const failing = all.filter(({ renewal }) => renewal?.lastError !== undefined)
  return [
    gauge('certificates_on_demand', 'Certificates obtained at the first handshake for their name', all.length),
    gauge('certificates_on_demand_failing', 'On-demand certificates whose last renewal failed', failing.length),
  ]
}

function isOnDemand({ source }: CertificateStatus): boolean {
  return source === 'on-demand'
}

function seconds(iso: string): number {
  return Date.parse(iso) / 1000
}
