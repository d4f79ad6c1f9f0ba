import type { ProcessRuntime } from '../processes/child.ts'
import type { Exit } from '../processes/exit.ts'
import type { ManagedProcess } from '../processes/managed-process.ts'
import { manageTask } from '../processes/task-process.ts'
import type { InitPlan } from './plan.ts'

/** An init command that failed. */
export interface InitFailure {
  plan: InitPlan
  exit: Exit
  wasTimeout: boolean
  lastLines: string[]
}

/** A run of all init commands. */
export interface InitRun {
  /** Resolves when all commands have succeeded or were stopped, or with the first failure. */
  readonly done: Promise<InitFailure | undefined>
  /** Stops the running command, with SIGKILL after `graceMs`, and starts no other. Resolves when it is gone. */
  stop(graceMs: number): Promise<void>
}

/** Runs commands one after the other. `begin` starts the processes that a command comes after, and settles when they are ready. `done` rejects with an OperatorError if the system refuses to start one. */
export function runInit(
  runtime: ProcessRuntime,
  plans: readonly InitPlan[],
  begin: (names: readonly string[]) => Promise<unknown> = async () => {},
): InitRun {
  const { clock, log } = runtime
  let current: ManagedProcess | undefined
  let isStopping = false
  let endWait = () => {}
  const stopRequested = new Promise<void>(resolve => {
    endWait = resolve
  })

  async function runAll(): Promise<InitFailure | undefined> {
    for (const plan of plans) {
      if (!isStopping && plan.after && plan.after.length > 0) {
        log.info('init command waits', { init: plan.name, for: plan.after.join(',') })
        await Promise.race([begin(plan.after), stopRequested])
      }
      const failure = isStopping ? undefined : await runOne(plan)
      if (failure && !isStopping) return failure
    }
    return undefined
  }

  async function runOne(plan: InitPlan): Promise<InitFailure | undefined> {
    const child = runtime.spawn({ ...plan, inherit: [], output: 'relay', notify: false })
    log.info('init command started', { init: plan.name, command: plan.argv.join(' '), pid: child.pid })
    current = manageTask({ child, clock, timeoutMs: plan.timeoutMs, graceMs: plan.gracefulTimeoutMs })
    const { exit, cause, uptimeMs } = await current.ended
    current = undefined
    await child.outputEnded()
    const wasTimeout = cause === 'boot timeout'
    if (exit.kind === 'code' && exit.code === 0 && !wasTimeout) {
      log.info('init command finished', { init: plan.name, uptime_ms: uptimeMs })
      return undefined
    }
    return { plan, exit, wasTimeout, lastLines: child.lastLines() }
  }

  const done = runAll()
  return {
    done,
    async stop(graceMs) {
      isStopping = true
      endWait()
      const running = current
      running?.stop(graceMs)
      await running?.ended
    },
  }
}
