/** Number of line breaks. */
export function countLines(data: Buffer | string): number {
  let count = 0
  for (let at = data.indexOf('\n'); at !== -1; at = data.indexOf('\n', at + 1)) count++
  return count
}
