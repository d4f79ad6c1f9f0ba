const usualMs = 8000

/** A program whose `graceful_timeout` is known, in ms. */
export type WithGrace<T> = T & { graceful_timeout: number }

interface Graceful {
  graceful_timeout?: number | undefined
}

/** Programs with the time that each of them has to finish its work: its own, or the usual one as far as a stop leaves it. `stopMs`: time for all of them in a stop. */
export function withGrace<T extends Graceful>(
  programs: Record<string, T>,
  stopMs: number,
): Record<string, WithGrace<T>> {
  return Object.fromEntries(
    Object.entries(programs).map(([name, program]) => {
      const { graceful_timeout = Math.min(usualMs, stopMs) } = program
      return [name, { ...program, graceful_timeout }]
    }),
  )
}
