const unitMs: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Milliseconds in a text such as `500ms`, `8s`, `5m`, `1h30m` or `1d`; undefined if it is not a duration. */
export function parseDuration(text: string): number | undefined {
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(text)) return undefined
  let totalMs = 0
  for (const part of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) {
    totalMs += Number(part[1]) * (unitMs[part[2] ?? ''] ?? Number.NaN)
  }
  return Math.round(totalMs)
}

/** Duration in the largest unit that divides it: `90s`, `2h`. Otherwise in seconds with one decimal: `1.5s`. */
export function formatDuration(durationMs: number): string {
  for (const unit of ['d', 'h', 'm', 's']) {
    const size = unitMs[unit] ?? 1
    if (durationMs >= size && durationMs % size === 0) return `${durationMs / size}${unit}`
  }
  return durationMs >= 1000 ? `${(durationMs / 1000).toFixed(1)}s` : `${Math.round(durationMs)}ms`
}
