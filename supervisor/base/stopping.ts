/** Reason given for an operation that is refused or aborted because the run is stopping. */
export const stoppingReason = 'monohull is stopping'

/** How to stop, and by when. */
export interface Stopping {
  mode: 'graceful' | 'quick'
  /** Time left for the whole stop, in ms; a quick one has less than a second. */
  leftMs(): number
}
