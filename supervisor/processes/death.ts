import type { Exit } from './exit.ts'

/** End of a worker or process that monohull did not request. */
export interface Death {
  worker: string
  exit: Exit
  wasReady: boolean
  /** Time since it became ready; 0 if it never did. */
  servedMs: number
  /** Whether something outside monohull killed it. */
  wasKilledOutside: boolean
  lastLines: string[]
  /** Reason for the end, if the exit does not say enough. */
  reason?: string | undefined
}
