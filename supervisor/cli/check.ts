import { exitCode } from '../base/errors.ts'
import type { World } from '../base/world.ts'
import { formatProblems, shortValue } from '../config/report.ts'
import { type Findings, inspect } from '../run/adapters/inspection.ts'
import { type CommandLine, resolveConfiguration } from './load.ts'

/** Options of `monohull check`. */
export interface CheckOptions {
  /** Whether warnings count as problems. */
  isStrict: boolean
  isJson: boolean
}

/** Checks everything that `run` needs and prints every problem with its fix. The exit code is 78 if there is one. */
export async function check(
  commandLine: CommandLine,
  world: World,
  { isStrict, isJson }: CheckOptions,
): Promise<number> {
  const resolved = await resolveConfiguration(commandLine, world)
  const findings: Findings = resolved.ok
    ? await inspect(resolved.settings, world)
    : { problems: resolved.problems, warnings: [], notes: [] }
  if (isJson) process.stdout.write(`${JSON.stringify(findings, shortValue, 2)}\n`)
  else print(findings)
  const hasFailed = findings.problems.length > 0 || (isStrict && findings.warnings.length > 0)
  return hasFailed ? exitCode.config : exitCode.ok
}

function print({ problems, warnings, notes }: Findings): void {
  for (const note of notes) process.stdout.write(`monohull: ${note}\n`)
  for (const warning of warnings) process.stdout.write(`monohull: warning: ${warning}\n`)
  if (problems.length > 0) process.stderr.write(`${formatProblems(problems)}\n`)
  else if (warnings.length === 0) process.stdout.write('monohull: no problems found\n')
  else
    process.stdout.write(`monohull: no problems found, ${warnings.length} warning${warnings.length === 1 ? '' : 's'}\n`)
}
