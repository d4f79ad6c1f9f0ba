/** Lines of app/printing.cjs in a log. */
export interface PrintedLines {
  whole: number
  /** Lines with a part of a printed line, and with anything else than a tag before it. */
  torn: number
}

const printed =
  /^(?:\S+ \S+ (?:stdout)?\| |\{"time":.*"line":"|@?[\dT:.-]+Z? |[\d-]+ [\d:.]+ +|)\d{8} x{64}(?:x{26})?(?:"\})?$/

/** Counts the lines, which a relay may have tagged. */
export function countPrinted(log: Buffer): PrintedLines {
  let whole = 0
  let torn = 0
  for (let from = 0; from < log.length; ) {
    const found = log.indexOf(10, from)
    const end = found === -1 ? log.length : found
    const line = log.toString('latin1', from, end)
    if (printed.test(line)) whole++
    else if (line.includes('xxxx')) torn++
    from = end + 1
  }
  return { whole, torn }
}
