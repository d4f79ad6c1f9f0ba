/** A program that gets no requests, and where it runs. */
export interface ProgramPlan {
  /** `queue`, `init.1` */
  name: string
  argv: readonly string[]
  directory: string
  uid: number | undefined
  gid: number | undefined
  gracefulTimeoutMs: number
}

/** A command that runs once, before anything else. */
export interface InitPlan extends ProgramPlan {
  env: Record<string, string>
  timeoutMs: number
}

/** A process that runs all the time, `count` of it. */
export interface ProcessPlan extends ProgramPlan {
  env(number: number): Record<string, string>
  count: number
  minUptimeMs: number
  backoff: { initialMs: number; maxMs: number }
}
