/** Problem of a text that is not JSON, with its position as line and column; undefined for JSON. V8 names the position of some only. */
export function describeJsonProblem(text: string): string | undefined {
  const problem = problemOf(text)
  if (problem === undefined) return undefined
  const position = positionIn(text)
  const lines = text.slice(0, position).split('\n')
  const found = position === text.length ? 'it ends too early' : `unexpected ${JSON.stringify(text[position])}`
  return `${found} at position ${position} (line ${lines.length}, column ${(lines.at(-1)?.length ?? 0) + 1})`
}

/** Length of the longest beginning that could go on as JSON. */
function positionIn(text: string): number {
  let [possible, impossible] = [0, text.length + 1]
  while (impossible - possible > 1) {
    const length = (possible + impossible) >> 1
    if (couldGoOn(text.slice(0, length))) possible = length
    else impossible = length
  }
  return possible
}

function couldGoOn(beginning: string): boolean {
  const problem = problemOf(beginning)
  if (problem === undefined || problem.startsWith('Unexpected end')) return true
  return Number(/at position (\d+)/.exec(problem)?.[1]) >= beginning.length
}

function problemOf(text: string): string | undefined {
  try {
    JSON.parse(text)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
