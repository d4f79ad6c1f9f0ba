import { formatDuration } from '../base/duration.ts'
import { exitCode, OperatorError } from '../base/errors.ts'
import { describeExit, exitCodeOf } from '../domain/exit.ts'
import { type InitFailure, runInit } from '../services/init.ts'
import type { Parts } from './parts.ts'

/** Runs the init commands; an OperatorError with the code of the one that failed. */
export async function initialize(parts: Parts): Promise<void> {
  const { surroundings, settings } = parts
  if (!surroundings) throw new Error('cannot run init commands before the start')
  parts.init = runInit(surroundings, settings.init)
  const failure = await parts.init.done
  delete parts.init
  if (failure) throw describeFailure(failure)
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
