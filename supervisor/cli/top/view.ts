import type { Row, Sort } from './rows.ts'
import { sorts } from './rows.ts'

/** What `monohull top` shows. */
export interface View {
  mode: 'table' | 'confirm' | 'log' | 'help'
  sort: Sort
  /** Name of the selected worker; undefined: the first one. */
  selected: string | undefined
}

/** Action that a key asks for. */
export type Effect = { type: 'quit' } | { type: 'restart'; target: string }

const keyNames: Record<string, string> = {
  '\u001b[A': 'up',
  '\u001bOA': 'up',
  '\u001b[B': 'down',
  '\u001bOB': 'down',
  '\u001b[H': 'first',
  '\u001b[F': 'last',
  '\u001b': 'escape',
  '\r': 'enter',
  '\n': 'enter',
  '\u0003': 'interrupt',
  '\u0004': 'interrupt',
  k: 'up',
  j: 'down',
}

const keyPattern = /\u001b(?:[[O][\d;]*[A-Za-z~])?|[^\u001b]/gu

/** Keys in what a terminal sends at once. */
export function keysIn(text: string): string[] {
  return [...text.matchAll(keyPattern)].map(([key]) => keyNames[key] ?? key)
}

/** View after a key, with the action that it asks for. `rows` are in the order in which they are shown. */
export function press(view: View, key: string, rows: readonly Pick<Row, 'name'>[]): { view: View; effect?: Effect } {
  if (key === 'interrupt') return { view, effect: { type: 'quit' } }
  const index = selectedIndex(view, rows)
  const name = rows[index]?.name
  const select = (next: number) => ({
    view: { ...view, selected: rows[Math.max(0, Math.min(rows.length - 1, next))]?.name },
  })
  if (view.mode === 'confirm') {
    const table: View = { ...view, mode: 'table' }
    return key === 'y' && name !== undefined
      ? { view: table, effect: { type: 'restart', target: name } }
      : { view: table }
  }
  if (view.mode !== 'table')
    return ['q', 'escape', 'enter', 'l', '?', 'h'].includes(key) ? { view: { ...view, mode: 'table' } } : { view }
  switch (key) {
    case 'q':
      return { view, effect: { type: 'quit' } }
    case 'up':
      return select(index - 1)
    case 'down':
      return select(index + 1)
    case 'first':
      return select(0)
    case 'last':
      return select(rows.length - 1)
    case 's':
      return { view: { ...view, sort: sorts[(sorts.indexOf(view.sort) + 1) % sorts.length] ?? 'name' } }
    case 'r':
      return name === undefined ? { view } : { view: { ...view, selected: name, mode: 'confirm' } }
    case 'l':
    case 'enter':
      return name === undefined ? { view } : { view: { ...view, selected: name, mode: 'log' } }
    case '?':
    case 'h':
      return { view: { ...view, mode: 'help' } }
    default:
      return { view }
  }
}

/** Index of the selected row; the first one if it is gone. */
export function selectedIndex({ selected }: View, rows: readonly Pick<Row, 'name'>[]): number {
  return Math.max(
    0,
    rows.findIndex(({ name }) => name === selected),
  )
}
