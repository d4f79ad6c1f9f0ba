/** Content type of the output of `formatMetrics`. */
export const metricsType = 'text/plain; version=0.0.4; charset=utf-8'

/** One value of a metric. */
export interface Sample {
  labels: Record<string, string>
  value: number
}

/** Metric with its samples. Of several samples with the same labels, only the lowest is written, because the format allows one. */
export interface Metric {
  /** Without the prefix `monohull_`. */
  name: string
  type: 'gauge' | 'counter'
  help: string
  samples: readonly Sample[]
}

/** Metrics in the Prometheus text exposition format 0.0.4. Metrics without samples are omitted. */
export function formatMetrics(metrics: readonly Metric[]): string {
  return metrics.flatMap(formatMetric).join('\n').concat('\n')
}

/** Gauge with one sample without labels. */
export function gauge(name: string, help: string, value: number): Metric {
  return { name, type: 'gauge', help, samples: [{ labels: {}, value }] }
}

function formatMetric({ name, type, help, samples }: Metric): string[] {
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
