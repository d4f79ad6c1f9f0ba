import { revealed } from '../base/secret.ts'
import type { ProgramEnv } from '../processes/environment.ts'
import type { HealthPlan, ReadinessPlan } from './check.ts'

/** A program that gets no requests, and its context on this machine. Times in ms. */
export interface ProgramPlan {
  /** `queue`, `init.1` */
  name: string
  argv: readonly string[]
  directory: string
  /** Where the links in its name lead now: another release is another program. */
  realDirectory?: string | undefined
  uid: number | undefined
  gid: number | undefined
  gracefulTimeoutMs: number
}

/** A command that runs once, before the apps and processes start. */
export interface InitPlan extends ProgramPlan {
  env: ProgramEnv
  timeoutMs: number
  /** Processes that must be ready first. */
  after?: readonly string[]
}

/** A background process, of which `count` instances run. */
export interface ProcessPlan extends ProgramPlan {
  env(number: number): ProgramEnv
  count: number
  /** Signal on which it stops gracefully. */
  stopSignal: NodeJS.Signals
  /** Whether the program restarts itself, or reloads its modules, when its files change. */
  watchesItself: boolean
  minUptimeMs: number
  backoff: { initialMs: number; maxMs: number }
  restart: RestartPolicy
  /** Processes and apps that must be ready first. */
  after?: readonly string[]
  /** Condition for it to be ready; undefined: it has run for a moment. */
  ready?: ReadinessPlan | undefined
  health?: HealthPlan | undefined
}

/** Ends after which a process is started again. Exit code 0 is no failure. */
export type RestartPolicy = 'always' | 'on_failure' | 'never'

/** Whether instances of one plan are what instances of the other would be, so that none needs to be replaced. */
export function isSameProgram(one: ProcessPlan, other: ProcessPlan): boolean {
  return one.count === other.count && describe(one) === describe(other)
}

function describe({ argv, directory, realDirectory, uid, gid, stopSignal, env }: ProcessPlan): string {
  const variables = Object.entries(env(1)).map(([name, value]) => [name, revealed(value)])
  return JSON.stringify([
    argv,
    directory,
    realDirectory,
    uid,
    gid,
    stopSignal,
    variables.sort(([first = ''], [second = '']) => (first < second ? -1 : 1)),
  ])
}
