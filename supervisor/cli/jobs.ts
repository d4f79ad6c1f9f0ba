import { exitCode, OperatorError } from '../base/errors.ts'
import type { Outcome } from '../base/outcome.ts'
import type { World } from '../base/world.ts'
import { askAdmin } from '../run/adapters/admin-client.ts'
import { formatJobList, formatRuns } from '../run/job-text.ts'
import { printOutcome, socketOf } from './control.ts'
import { toJson } from './json.ts'
import type { CommandLine } from './load.ts'

/** Parsed arguments of `monohull jobs`. */
export interface JobsArguments {
  action: string
  name: string | undefined
  isJson: boolean
  /** Whether `run` waits for the end. */
  waits: boolean
}

/** Runs an action of `monohull jobs` for the running instance. The exit code of `run --wait` is that of the job. */
export async function jobs(commandLine: CommandLine, world: World, given: JobsArguments): Promise<number> {
  const { action, name, isJson, waits } = given
  if (action === 'list' && name !== undefined)
    throw new OperatorError('monohull jobs list shows all jobs', {
      fix: `monohull jobs history ${name} shows the last runs of one`,
      code: exitCode.usage,
    })
  const isReading = action === 'list' || action === 'history'
  if (!isReading && name === undefined)
    throw new OperatorError(`monohull jobs ${action} needs the name of a job`, {
      fix: `monohull jobs ${action} NAME; monohull jobs list shows the names`,
      code: exitCode.usage,
    })
  const socket = await socketOf(commandLine, world)
  if (!isReading) {
    const path = `/jobs/${encodeURIComponent(name ?? '')}/${action}${waits ? '?wait=true' : ''}`
    const { body } = await askAdmin(socket, { method: 'POST', path })
    const outcome = body as Outcome & { code?: number }
    const code = printOutcome(outcome, isJson ? 'json' : 'text')
    return outcome.code ?? code
  }
  const of = name === undefined ? '' : `?job=${encodeURIComponent(name)}`
  const path = action === 'list' ? '/jobs' : `/jobs/history${of}`
  const { status, body } = await askAdmin(socket, { method: 'GET', path })
  if (status !== 200) return printOutcome(body as Outcome, isJson ? 'json' : 'text')
  const format = isJson ? toJson : action === 'list' ? formatJobList : formatRuns
  process.stdout.write(format(body as never))
  return exitCode.ok
}
