const unitBytes: Record<string, number> = { k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 }

/** Sizes as people write them: `512m`, `10MB`, `1.5GiB`, `512Mi`. The letter of the unit decides; all are powers of 1024. */
export const sizePattern = /^(\d{1,9}(?:\.\d{1,9})?)([kmgKMG])(?:i?[bB]|i)?$/

/** Number of bytes in a size; undefined if the text is not a size, or is zero. */
export function parseSize(text: string): number | undefined {
  const [, amount, unit = ''] = sizePattern.exec(text) ?? []
  const bytes = Math.round(Number(amount) * (unitBytes[unit.toLowerCase()] ?? Number.NaN))
  return bytes > 0 ? bytes : undefined
}

/** Bytes in nginx's notation: `10m`, `1536k`, `700`. */
export function nginxSize(bytes: number): string {
  const unit = ['g', 'm', 'k'].find(letter => bytes % (unitBytes[letter] ?? 1) === 0)
  return unit === undefined ? `${bytes}` : `${bytes / (unitBytes[unit] ?? 1)}${unit}`
}
