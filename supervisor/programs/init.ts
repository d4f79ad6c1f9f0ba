import { formatDuration } from '../base/duration.ts'
import { exitCode, OperatorError } from '../base/errors.ts'
import type { Stopping } from '../base/stopping.ts'
import type { ProcessRuntime } from '../processes/child.ts'
import { describeExit, exitCodeOf } from '../processes/exit.ts'
import { type InitFailure, runInit } from './init-run.ts'
import type { InitPlan } from './plan.ts'

/** The init commands of a run. */
export interface Init {
  readonly name: string
  readonly isIndependent: boolean
  /** Rejects with an OperatorError that has the exit code of the failed command. */
  readonly done: Promise<void>
  stop(how: Stopping): Promise<void>
}

/** Starts the init commands. `begin` starts processes, and settles when they are ready. */
export function startInit(
  runtime: ProcessRuntime,
  plans: readonly InitPlan[],
  begin: (names: readonly string[]) => Promise<unknown>,
): Init {
  const run = runInit(runtime, plans, begin)
  return {
    name: 'init',
    isIndependent: true,
    done: run.done.then(failure => {
      if (failure) throw describeFailure(failure)
    }),
    stop: ({ leftMs }) => run.stop(leftMs()),
  }
}

function describeFailure({ plan, exit, wasTimeout, lastLines }: InitFailure): OperatorError {
  const ending = wasTimeout
    ? `did not finish within its timeout of ${formatDuration(plan.timeoutMs)}`
    : `ended with ${describeExit(exit)}`
  const printed = lastLines.length > 0 ? `; its last output:\n${lastLines.join('\n')}` : '; it printed nothing'
  return new OperatorError(`cannot start: ${plan.name} (${plan.argv.join(' ')}) ${ending}${printed}`, {
    fix: wasTimeout ? 'fix the command, or raise its timeout' : 'fix the command; nothing else was started',
    code: exitCodeOf(exit) || exitCode.failed,
  })
}
