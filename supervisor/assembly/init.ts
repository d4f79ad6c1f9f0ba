import { formatDuration } from '../base/duration.ts'
import { exitCode, OperatorError } from '../base/errors.ts'
import { describeExit, exitCodeOf } from '../domain/exit.ts'
import type { Surroundings } from '../domain/ports.ts'
import { type InitFailure, runInit } from '../services/init.ts'
import type { InitPlan } from '../services/program-plan.ts'
import type { Subject } from './subject.ts'

const quickStopMs = 1000

/** The init commands, which run from here on; `done` rejects with an OperatorError with the code of the one that failed. */
export function startInit(surroundings: Surroundings, plans: readonly InitPlan[]): Subject & { done: Promise<void> } {
  const run = runInit(surroundings, plans)
  return {
    name: 'init',
    isIndependent: true,
    done: run.done.then(failure => {
      if (failure) throw describeFailure(failure)
    }),
    stop: ({ mode, leftMs }) => run.stop(mode === 'quick' ? quickStopMs : leftMs()),
  }
}

function describeFailure({ plan, exit, wasTimeout, lastLines }: InitFailure): OperatorError {
  const ending = wasTimeout
    ? `did not end within its timeout of ${formatDuration(plan.timeoutMs)}`
    : `ended with ${describeExit(exit)}`
  const printed = lastLines.length > 0 ? `, and printed last:\n${lastLines.join('\n')}` : ', and printed nothing'
  return new OperatorError(`cannot start: ${plan.name} (${plan.argv.join(' ')}) ${ending}${printed}`, {
    fix: wasTimeout ? `mend the command, or raise its timeout` : 'mend the command; nothing else was started',
    code: exitCodeOf(exit) || exitCode.failed,
  })
}
