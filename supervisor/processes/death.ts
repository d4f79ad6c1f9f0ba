import type { Exit } from './exit.ts'

/** Worker, or process, that ended by itself. */
export interface Death {
  worker: string
  exit: Exit
  wasReady: boolean
  /** Since it was ready; 0 when it never was. */
  servedMs: number
  /** Whether somebody outside killed it. */
  wasKilledOutside: boolean
  lastLines: string[]
}
