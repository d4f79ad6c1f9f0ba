import { html } from 'htm/preact'
import { useState } from 'preact/hooks'
import type { Measure } from '../../supervisor/dashboard/point.ts'
import { formatBytes, formatLatency, formatNumber, formatShare } from '../format.ts'
import { type Range, ranges, seriesOf, shownSeconds, sparkline } from '../series.ts'
import type { State } from '../state.ts'
import { Chart } from './chart.ts'

/** Tile with a figure and its sparkline; the chosen one has the large chart. */
interface TileKind {
  name: string
  /** Measures of its chart; the first one is its figure and its sparkline, unless `main` is another. */
  measures: readonly Measure[]
  labels: readonly string[]
  main?: Measure
  format: (value: number | null | undefined) => string
  /** What stands below the figure. */
  note?: (last: (name: Measure) => number | null | undefined, state: State) => string
  isBad?: (last: (name: Measure) => number | null | undefined) => boolean
}

const tiles: readonly TileKind[] = [
  { name: 'Requests', measures: ['requests'], labels: ['requests/s'], format: formatNumber, note: () => 'per second' },
  {
    name: 'Latency p95',
    measures: ['p50', 'p95', 'p99'],
    labels: ['p50', 'p95', 'p99'],
    main: 'p95',
    format: formatLatency,
    note: last => `p50 ${formatLatency(last('p50'))} · p99 ${formatLatency(last('p99'))}`.replace(' ms ·', ' ·'),
  },
  {
    name: 'Errors 5xx',
    measures: ['serverErrors', 'clientErrors'],
    labels: ['5xx', '4xx'],
    format: formatShare,
    note: last => `4xx ${formatShare(last('clientErrors'))}`,
    isBad: last => (last('serverErrors') ?? 0) > 0.01,
  },
  { name: 'In flight', measures: ['inFlight'], labels: ['requests'], format: formatNumber, note: () => 'requests' },
  {
    name: 'Connections',
    measures: ['connections'],
    labels: ['connections'],
    format: formatNumber,
    note: (_last, { sections: { connections } }) =>
      connections ? `of ${formatNumber(connections.limit)}` : 'of clients',
  },
  {
    name: 'CPU',
    measures: ['cpu'],
    labels: ['CPUs'],
    format: formatNumber,
    note: (_last, { sections: { container } }) =>
      container?.cpus ? `of ${formatNumber(container?.cpus)} CPUs` : 'CPUs',
  },
  {
    name: 'Memory',
    measures: ['memory'],
    labels: ['memory'],
    format: formatBytes,
    note: (_last, { sections: { container } }) =>
      container?.memoryLimit ? `of ${formatBytes(container?.memoryLimit)}` : 'no limit',
  },
]

const box = { width: 160, height: 34 }

/** Figures of the moment with their history. */
export function Tiles({ state }: { state: State }) {
  const [range, setRange] = useState<Range>('10 min')
  const [chosen, choose] = useState('Requests')
  const { seconds } = ranges[range]
  const kind = tiles.find(({ name }) => name === chosen) ?? tiles[0]
  return html`<section aria-labelledby="traffic">
    <div class="head">
      <h2 id="traffic">Traffic</h2>
      ${state.sections.run.uncounted && html`<p class="note">Requests are not counted: ${state.sections.run.uncounted}</p>`}
      <div class="switch" role="group" aria-label="Period">
        ${(Object.keys(ranges) as Range[]).map(
          name =>
            html`<button type="button" aria-pressed=${name === range} onClick=${() => setRange(name)}>${name}</button>`,
        )}
      </div>
    </div>
    <div class="tiles" role="group" aria-label="Figures">
      ${tiles.map(tile => {
        const main = tile.main ?? tile.measures[0] ?? 'requests'
        const [times = [], values = []] = seriesOf(state, range, [main])
        const last = lastOf(state)
        const path = sparkline(times, values, {
          ...box,
          end: state.at / 1000,
          seconds: shownSeconds(times, state.at / 1000, seconds),
        })
        return html`<button type="button" class="tile ${tile.isBad?.(last) ? 'bad' : ''}" aria-pressed=${tile.name === chosen}
          onClick=${() => choose(tile.name)}>
          <span class="name">${tile.name}</span>
          <strong>${tile.format(last(main))}</strong>
          <small>${tile.note?.(last, state) ?? ''}</small>
          <svg viewBox="0 0 ${box.width} ${box.height}" preserveAspectRatio="none" aria-hidden="true"><path d=${path} /></svg>
        </button>`
      })}
    </div>
    ${
      kind &&
      html`<${Chart} key=${kind.name + range} name=${kind.name} labels=${kind.labels} format=${kind.format}
      columns=${seriesOf(state, range, kind.measures)} end=${state.at / 1000} seconds=${seconds} />`
    }
  </section>`
}

/** The last value of a measure; of quantiles, the last one that there was within ten seconds. */
function lastOf(state: State) {
  return (name: Measure): number | null | undefined => {
    const [, values = []] = seriesOf(state, '10 min', [name])
    return name.startsWith('p') ? values.slice(-10).findLast(value => value !== null) : values.at(-1)
  }
}
