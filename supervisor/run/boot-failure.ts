import { OperatorError } from '../base/errors.ts'
import type { Death } from '../processes/death.ts'
import { exitCodeOf } from '../processes/exit.ts'

/** Error for an app of which every worker failed at its first start. */
export function bootFailure({ worker, exit, lastLines, reason }: Death): OperatorError {
  const printed = lastLines.length > 0 ? `; its last lines:\n${lastLines.join('\n')}` : ' and printed nothing'
  return new OperatorError(
    `every worker failed at its first start; ${worker} was the last one${reason === undefined ? '' : `: ${reason}`}${printed}`,
    {
      fix: 'fix the app: the log lines above show why each worker ended',
      // a server that ends by itself has failed, even with exit code 0
      code: exitCodeOf(exit) || 1,
    },
  )
}
