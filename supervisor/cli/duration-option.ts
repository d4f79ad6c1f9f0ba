import { formatDuration, parseDuration } from '../base/duration.ts'
import { exitCode, OperatorError } from '../base/errors.ts'

/** Bounds of a duration, as texts. */
interface Bounds {
  min: string
  max: string
}

/** Milliseconds of a duration on the command line. Throws an OperatorError for anything else. */
export function readDuration(option: string, text: string, bounds?: Bounds): number {
  const durationMs = parseDuration(text)
  const [minMs, maxMs] = bounds ? [toMs(bounds.min), toMs(bounds.max)] : [0, Number.POSITIVE_INFINITY]
  if (durationMs !== undefined && durationMs >= minMs && durationMs <= maxMs) return durationMs
  const range = bounds ? ` from ${formatDuration(minMs)} to ${formatDuration(maxMs)}` : ''
  throw new OperatorError(`${option} ${JSON.stringify(text)} is not a duration${range}`, {
    fix: 'write a duration such as 30s or 5m',
    code: exitCode.usage,
  })
}

function toMs(text: string): number {
  return parseDuration(text) ?? Number.NaN
}
