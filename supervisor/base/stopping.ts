/** Reason of whatever is refused or cut short because the whole run ends. */
export const stoppingReason = 'monohull is stopping'

/** Time that something has to come to its end. */
export interface Stopping {
  mode: 'graceful' | 'quick'
  /** Time left for all of it, in ms. */
  leftMs(): number
}

/** Time that a process has in a quick stop, in ms. */
export const quickStopMs = 1000
