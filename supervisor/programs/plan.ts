import type { ProgramEnv } from '../processes/environment.ts'

/** A program that gets no requests, and its context on this machine. Times in ms. */
export interface ProgramPlan {
  /** `queue`, `init.1` */
  name: string
  argv: readonly string[]
  directory: string
  uid: number | undefined
  gid: number | undefined
  gracefulTimeoutMs: number
}

/** A command that runs once, before the apps and processes start. */
export interface InitPlan extends ProgramPlan {
  env: ProgramEnv
  timeoutMs: number
}

/** A background process, of which `count` instances run. */
export interface ProcessPlan extends ProgramPlan {
  env(number: number): ProgramEnv
  count: number
  /** Whether the program restarts itself, or reloads its modules, when its files change. */
  watchesItself: boolean
  minUptimeMs: number
  backoff: { initialMs: number; maxMs: number }
}
