const unitBytes: Record<string, number> = { KB: 2 ** 10, MB: 2 ** 20, GB: 2 ** 30 }

/** Number of bytes in a text such as `512MB`, `1.5GB` or `800KB`, in powers of 1024; undefined if it is not a size. */
export function parseSize(text: string): number | undefined {
  const [, amount, unit = ''] = /^(\d+(?:\.\d+)?)(KB|MB|GB)$/i.exec(text) ?? []
  const bytes = Math.round(Number(amount) * (unitBytes[unit.toUpperCase()] ?? Number.NaN))
  return bytes > 0 ? bytes : undefined
}
