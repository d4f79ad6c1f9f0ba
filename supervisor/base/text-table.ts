import { plainLine } from './plain-text.ts'

/** Table with aligned columns for a terminal; the first row is the heading. */
export function formatTable(cells: readonly (readonly string[])[]): string {
  const rows = cells.map(row => row.map(plainLine))
  const widths = rows.reduce<number[]>(
    (all, row) => row.map((cell, column) => Math.max(cell.length, all[column] ?? 0)),
    [],
  )
  const format = (row: readonly string[]) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()
  return rows.map(row => `${format(row)}\n`).join('')
}
