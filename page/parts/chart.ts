import { html } from 'htm/preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import uPlot from 'uplot'
import type { Columns } from '../../supervisor/dashboard/history.ts'
import { shownSeconds } from '../series.ts'

interface ChartProps {
  name: string
  labels: readonly string[]
  columns: Columns
  format: (value: number | null | undefined) => string
  /** End of the period in seconds since the Unix epoch, and its length. */
  end: number
  seconds: number
}

const height = 190
const colours = ['--series-1', '--series-2', '--series-3']

/** Chart with axes. Under the pointer, and otherwise at its end, it shows the values as text. */
export function Chart({ name, labels, columns, format, end, seconds }: ChartProps) {
  const holder = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | undefined>(undefined)
  const period = useRef({ end, seconds })
  const [index, setIndex] = useState<number | null>(null)
  const [theme, setTheme] = useState(0)
  period.current = { end, seconds: shownSeconds(columns[0] ?? [], end, seconds) }

  useEffect(() => {
    const query = matchMedia('(prefers-color-scheme: dark)')
    const change = () => setTheme(count => count + 1)
    query.addEventListener('change', change)
    return () => query.removeEventListener('change', change)
  }, [])

  useEffect(() => {
    const element = holder.current
    if (!element) return
    const width = () => Math.max(200, element.clientWidth)
    const created = new uPlot(
      optionsFor({ labels, format, width: width(), element, period, setIndex }),
      columns as uPlot.AlignedData,
      element,
    )
    plot.current = created
    const observer = new ResizeObserver(() => created.setSize({ width: width(), height }))
    observer.observe(element)
    return () => {
      observer.disconnect()
      created.destroy()
    }
  }, [theme])

  useEffect(() => plot.current?.setData(columns as uPlot.AlignedData), [columns])

  const at = index ?? (columns[0]?.length ?? 0) - 1
  const time = columns[0]?.[at]
  const values = labels.map((label, position) => `${label} ${format(columns[position + 1]?.[at])}`)
  return html`<figure class="chart">
    <figcaption>
      ${labels.map((label, position) => html`<span class="key series-${position + 1}"><i aria-hidden="true"></i>${label} <b>${format(columns[position + 1]?.[at])}</b></span>`)}
      <time>${time ? new Date(time * 1000).toLocaleTimeString('en-GB') : ''}</time>
    </figcaption>
    <div ref=${holder} role="img" aria-label="${name} over the last ${seconds === 600 ? '10 minutes' : '24 hours'}: now ${values.join(', ')}"></div>
  </figure>`
}

/** Time of day; with seconds if marks are less than a minute apart. */
function timeOf(seconds: number, step: number): string {
  return new Date(seconds * 1000).toLocaleTimeString('en-GB', step < 60 ? {} : { hour: '2-digit', minute: '2-digit' })
}

function optionsFor(given: {
  labels: readonly string[]
  format: ChartProps['format']
  width: number
  element: HTMLElement
  period: { current: { end: number; seconds: number } }
  setIndex: (index: number | null) => void
}): uPlot.Options {
  const { labels, format, width, element, period, setIndex } = given
  const style = getComputedStyle(element)
  const colour = (name: string) => style.getPropertyValue(name).trim()
  const axis = { stroke: colour('--soft'), font: `11px ${style.fontFamily}`, ticks: { show: false } }
  return {
    width,
    height,
    legend: { show: false },
    cursor: { y: false, points: { size: 6 }, drag: { x: false, y: false } },
    hooks: { setCursor: [({ cursor: { idx, left } }) => setIndex((left ?? -1) < 0 ? null : (idx ?? null))] },
    scales: {
      x: { range: () => [period.current.end - period.current.seconds, period.current.end] },
      y: { range: (_plot, _least, most) => [0, most > 0 ? most * 1.15 : 1] },
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        space: 80,
        size: 26,
        values: (_plot, splits, _axis, _space, step) => splits.map(split => timeOf(split, step)),
      },
      {
        ...axis,
        grid: { stroke: colour('--line'), width: 1 },
        space: 40,
        size: 64,
        values: (_plot, splits) => splits.map(split => format(split)),
      },
    ],
    series: [
      {},
      ...labels.map((label, position) => ({
        label,
        stroke: colour(colours[position] ?? '--accent'),
        width: 1.5,
        ...(labels.length === 1 ? { fill: colour('--fill') } : {}),
      })),
    ],
  }
}
