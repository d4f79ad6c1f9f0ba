/** Reason given for an operation that is refused or aborted because the run is stopping. */
export const stoppingReason = 'monohull is stopping'

/** How to stop, and by when. */
export interface Stopping {
  mode: 'graceful' | 'quick'
  /** Time left for the whole stop, in ms. */
  leftMs(): number
}

/** Time that a process has in a quick stop, in ms. */
export const quickStopMs = 1000
