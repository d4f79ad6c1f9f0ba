/** Text format for Prometheus. */
export interface MetricsFormat {
  name: 'text' | 'openmetrics'
  /** Content type. */
  type: string
}

/** Prometheus text exposition format 0.0.4. */
const textFormat: MetricsFormat = { name: 'text', type: 'text/plain; version=0.0.4; charset=utf-8' }
const openMetrics: MetricsFormat = {
  name: 'openmetrics',
  type: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
}

/** Format for a client with this Accept header: OpenMetrics if it names that. */
export function metricsFormat(accept = ''): MetricsFormat {
  return /\bapplication\/openmetrics-text\b(?![^,]*;\s*q=0(\.0*)?\s*(,|;|$))/i.test(accept) ? openMetrics : textFormat
}

/** Labels by name; an undefined one is omitted, as Prometheus takes an empty one. */
export type Labels = Readonly<Record<string, string | undefined>>

/** One value of a metric. */
export interface Sample {
  labels: Labels
  value: number
}

/** One distribution. */
export interface Distribution {
  labels: Labels
  /** Number of values in each bucket, without those of the buckets before. */
  counts: readonly number[]
  /** Number and sum of all values, also of those above the last bound. */
  count: number
  sum: number
}

interface Family {
  /** Without its prefix. */
  name: string
  /** `monohull_` by default. */
  prefix?: string
  help: string
}

/** Gauge or counter with its samples. Of several samples with the same labels, only the lowest is written, because the format allows one. */
export interface Metric extends Family {
  type: 'gauge' | 'counter' | 'histogram'
  samples: readonly Sample[]
  /** Of a histogram, which has no samples. */
  histogram?: { bounds: readonly number[]; distributions: readonly Distribution[] }
}

/** Metrics as text. Metrics without samples are omitted. */
export function formatMetrics(metrics: readonly Metric[], format = textFormat): string {
  const lines: string[] = []
  for (const metric of metrics) writeMetric(lines, metric, format)
  if (format.name === 'openmetrics') lines.push('# EOF')
  return `${lines.join('\n')}\n`
}

/** Gauge with one sample without labels. */
export function gauge(name: string, help: string, value: number): Metric {
  return { name, type: 'gauge', help, samples: [{ labels: {}, value }] }
}

/** Metric with the samples that have a value. */
export function measured(
  type: 'gauge' | 'counter',
  name: string,
  help: string,
  samples: readonly { labels: Labels; value: number | undefined }[],
): Metric {
  return { name, type, help, samples: samples.filter((sample): sample is Sample => sample.value !== undefined) }
}

function writeMetric(lines: string[], metric: Metric, format: MetricsFormat): void {
  const { name, prefix = 'monohull_', type, help, samples, histogram } = metric
  if (samples.length === 0 && !histogram?.distributions.length) return
  const full = prefix + name
  const isOpen = format.name === 'openmetrics'
  // there, the names of counters end with _total
  const isOdd = isOpen && type === 'counter' && !full.endsWith('_total')
  const family = isOpen && type === 'counter' ? full.replace(/_total$/, '') : full
  lines.push(`# HELP ${family} ${escapeHelp(help, isOpen)}`, `# TYPE ${family} ${isOdd ? 'unknown' : type}`)
  if (histogram) writeHistogram(lines, full, histogram, isOpen)
  else for (const [labels, value] of lowestByLabels(samples)) lines.push(`${full}${labels} ${value}`)
}

function lowestByLabels(samples: readonly Sample[]): Map<string, number> {
  const lowest = new Map<string, number>()
  for (const { labels, value } of samples) {
    const key = formatLabels(labels)
    lowest.set(key, Math.min(value, lowest.get(key) ?? value))
  }
  return lowest
}

function writeHistogram(
  lines: string[],
  name: string,
  { bounds, distributions }: NonNullable<Metric['histogram']>,
  isOpen: boolean,
): void {
  const texts = bounds.map(bound => (isOpen && Number.isInteger(bound) ? `${bound}.0` : String(bound)))
  for (const { labels, counts, count, sum } of distributions) {
    const own = formatPairs(labels)
    const before = own === '' ? '' : `${own},`
    let total = 0
    for (const [index, text] of texts.entries()) {
      total += counts[index] ?? 0
      lines.push(`${name}_bucket{${before}le="${text}"} ${total}`)
    }
    const braces = own === '' ? '' : `{${own}}`
    // counted at slightly different times
    const all = Math.max(count, total)
    lines.push(`${name}_bucket{${before}le="+Inf"} ${all}`)
    lines.push(`${name}_sum${braces} ${sum}`, `${name}_count${braces} ${all}`)
  }
}

function formatLabels(labels: Labels): string {
  const pairs = formatPairs(labels)
  return pairs === '' ? '' : `{${pairs}}`
}

function formatPairs(labels: Labels): string {
  const pairs: string[] = []
  for (const [name, value] of Object.entries(labels))
    if (value !== undefined) pairs.push(`${name}="${escapeValue(value)}"`)
  return pairs.join(',')
}

function escapeValue(value: string): string {
  return /[\\"\n]/.test(value) ? value.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n') : value
}

function escapeHelp(text: string, isOpen: boolean): string {
  const escaped = text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
  return isOpen ? escaped.replaceAll('"', '\\"') : escaped
}
