import { plainLine } from '../../base/plain-text.ts'
import type { LogLine } from '../../logs/log-ring.ts'
import type { Status } from '../../run/status.ts'
import type { Paint } from '../paint.ts'
import { formatAge, type Row } from './rows.ts'
import { selectedIndex, type View } from './view.ts'

/** Everything that a frame shows. */
export interface FrameContent {
  status: Status
  /** In the order in which they are shown. */
  rows: readonly Row[]
  view: View
  /** Lines of the selected worker, in the view `log`. */
  log: readonly LogLine[]
  /** Result of the last action. */
  message: string | undefined
}

/** Size of the terminal. */
export interface FrameSize {
  columns: number
  rows: number
}

interface Column {
  heading: string
  /** Columns with the highest number are left out first where the terminal is narrow. */
  rank: number
  isNumber: boolean
  text(row: Row): string
}

const columns: readonly Column[] = [
  { heading: 'NAME', rank: 0, isNumber: false, text: row => row.name },
  { heading: 'STATE', rank: 1, isNumber: false, text: row => row.state },
  { heading: 'PID', rank: 8, isNumber: true, text: row => show(row.pid) },
  { heading: 'UP', rank: 6, isNumber: true, text: row => show(row.uptimeSeconds, formatAge) },
  { heading: 'CPU%', rank: 2, isNumber: true, text: row => show(row.cpu, cpu => `${Math.round(cpu * 100)}`) },
  { heading: 'MEM', rank: 3, isNumber: true, text: row => show(row.memory, formatBytes) },
  { heading: 'REQ/S', rank: 4, isNumber: true, text: row => show(row.requestsPerSecond, formatRate) },
  { heading: 'OPEN', rank: 5, isNumber: true, text: row => show(row.inFlight) },
  {
    heading: 'LOOP',
    rank: 9,
    isNumber: true,
    text: row => show(row.loopDelay, delay => `${Math.round(delay * 1000)}ms`),
  },
  { heading: 'CRASH', rank: 7, isNumber: true, text: row => `${row.crashes}` },
  { heading: 'REPL', rank: 11, isNumber: true, text: row => `${row.replacements}` },
  { heading: 'OLDEST', rank: 10, isNumber: false, text: row => show(row.oldest) },
]

const help = [
  'up, down, j, k  select a worker or process',
  's               sort by the next column',
  'l, enter        follow the log of the selected one',
  'r               restart the selected one',
  '?               this help',
  'q, Ctrl-C       quit',
  '',
  'CPU%: 100 is a whole CPU. OPEN: requests in flight. LOOP: delay of the event loop (Node).',
  'CRASH: ends that nobody requested. REPL: planned replacements. OLDEST: age and path of the oldest request in flight.',
]

/** Lines of a frame, each as wide as the terminal at most, and as many as fit. */
export function renderFrame(
  content: FrameContent,
  { columns: width, rows: height }: FrameSize,
  paint: Paint,
): string[] {
  const head = renderHead(content, width, paint)
  const foot = renderFoot(content, width, paint)
  const left = Math.max(0, height - head.length - 1)
  const body = renderBody(content, { columns: width, rows: left }, paint).slice(0, left)
  const blank = Array<string>(left - body.length).fill('')
  return [...head, ...body, ...blank, foot].slice(0, Math.max(1, height))
}

function renderHead({ status, rows }: FrameContent, width: number, paint: Paint): string[] {
  const { state, uptimeSeconds, container, warnings = [] } = status
  const sum = (value: (row: Row) => number | undefined) => rows.reduce((total, row) => total + (value(row) ?? 0), 0)
  const memory =
    container?.memory === undefined
      ? []
      : [
          `memory ${formatBytes(container.memory)}${container.memoryLimit === undefined ? '' : ` of ${formatBytes(container.memoryLimit)}`}`,
        ]
  const facts = [
    `up ${formatAge(uptimeSeconds)}`,
    ...(rows.some(row => row.requestsPerSecond !== undefined)
      ? [`${formatRate(sum(row => row.requestsPerSecond))} req/s`]
      : []),
    ...(rows.some(row => row.inFlight !== undefined) ? [`${sum(row => row.inFlight)} open`] : []),
    ...memory,
  ]
  const paintState = state === 'ready' ? paint.good : paint.bad
  const title = `monohull ${state}`
  const rest = fit(`, ${facts.join(', ')}`, width - title.length)
  return [
    width < title.length ? fit(title, width) : `${paintState(title)}${rest}`,
    ...(warnings[0] === undefined
      ? []
      : [
          paint.byLevel(
            'warn',
            fit(warnings.length > 1 ? `${warnings.length} warnings: ${warnings[0]}` : warnings[0], width),
          ),
        ]),
  ]
}

function renderFoot({ view, message, rows }: FrameContent, width: number, paint: Paint): string {
  const name = rows[selectedIndex(view, rows)]?.name ?? ''
  if (view.mode === 'confirm') return paint.bold(fit(`restart ${name}? y, or any other key`, width))
  if (message !== undefined) return paint.bold(fit(message, width))
  const keys = view.mode === 'table' ? `q quit  s sort (${view.sort})  l log  r restart  ? help` : 'q back'
  return paint.dim(fit(keys, width))
}

function renderBody(content: FrameContent, size: FrameSize, paint: Paint): string[] {
  const { view, log } = content
  if (view.mode === 'help') return help.map(line => fit(line, size.columns))
  if (view.mode === 'log') {
    const lines = log.map(({ time, level, text }) =>
      paint.byLevel(level, fit(`${time.slice(11, 19)} ${text}`, size.columns)),
    )
    return lines.length === 0 ? [fit('no line of it is kept', size.columns)] : lines.slice(-size.rows)
  }
  return renderTable(content, size, paint)
}

function renderTable({ rows, view }: FrameContent, size: FrameSize, paint: Paint): string[] {
  if (rows.length === 0)
    return [fit('no workers: all routes lead to static files, upstreams or fixed responses', size.columns)]
  const shown = chooseColumns(rows, size.columns)
  const widths = shown.map(column => widthOf(column, rows))
  const format = (texts: string[], mark: string) =>
    fit(
      `${mark}${texts.map((text, index) => (shown[index]?.isNumber ? text.padStart(widths[index] ?? 0) : text.padEnd(widths[index] ?? 0))).join('  ')}`.trimEnd(),
      size.columns,
    )
  const index = selectedIndex(view, rows)
  const visible = Math.max(1, size.rows - 1)
  const first = Math.max(0, Math.min(index - Math.floor(visible / 2), rows.length - visible))
  const body = rows.slice(first, first + visible).map((row, position) => {
    const isSelected = first + position === index
    const line = format(
      shown.map(column => column.text(row)),
      isSelected ? '>' : ' ',
    )
    return isSelected ? paint.bold(line) : isWell(row) ? line : paint.bad(line)
  })
  return [
    paint.dim(
      format(
        shown.map(({ heading }) => heading),
        ' ',
      ),
    ),
    ...body,
  ]
}

function isWell({ state }: Row): boolean {
  return ['serving', 'replacing', 'running', 'finished', 'booting', 'idle', 'asleep', 'waking'].includes(state)
}

/** The most important columns that fit, in their usual order. The last one may be cut off. */
function chooseColumns(rows: readonly Row[], width: number): Column[] {
  const used = columns.filter(column => column.rank < 2 || rows.some(row => column.text(row) !== '-'))
  const chosen = new Set<Column>()
  let taken = 1
  for (const column of used.toSorted((one, other) => one.rank - other.rank)) {
    const isCut = column.heading === 'OLDEST'
    taken += (isCut ? column.heading.length : widthOf(column, rows)) + 2
    if (taken - 2 > width && chosen.size > 0) break
    chosen.add(column)
  }
  return used.filter(column => chosen.has(column))
}

function widthOf({ heading, text }: Column, rows: readonly Row[]): number {
  return Math.max(heading.length, ...rows.map(row => text(row).length))
}

/** Text without control characters, which would reach the terminal, cut to a width. */
export function fit(text: string, width: number): string {
  const plain = [...plainLine(text)]
  return plain.length <= width
    ? plain.join('')
    : `${plain.slice(0, Math.max(0, width - 1)).join('')}${width > 0 ? '…' : ''}`
}

function show<T>(value: T | undefined, format: (value: T) => string = String): string {
  return value === undefined ? '-' : format(value)
}

function formatRate(perSecond: number): string {
  return perSecond < 10 ? perSecond.toFixed(1) : `${Math.round(perSecond)}`
}

function formatBytes(bytes: number): string {
  const [size, unit] = bytes < 1024 * 2 ** 20 ? [2 ** 20, 'M'] : [2 ** 30, 'G']
  const amount = bytes / Number(size)
  return `${unit === 'G' ? amount.toFixed(1) : Math.round(amount)}${unit}`
}
