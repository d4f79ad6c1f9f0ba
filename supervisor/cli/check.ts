import { exitCode } from '../base/errors.ts'
import type { World } from '../base/world.ts'
import { formatProblems, type Problem } from '../config/report.ts'
import { inspect } from '../run/adapters/inspection.ts'
import { type CommandLine, resolveConfiguration } from './load.ts'

/** Checks everything that `run` needs and prints every problem with its fix. The exit code is 78 if there is one. */
export async function check(commandLine: CommandLine, world: World): Promise<number> {
  const resolved = await resolveConfiguration(commandLine, world)
  const notes: string[] = []
  const problems = resolved.ok ? await inspect(resolved.settings, world, notes) : resolved.problems
  for (const note of notes) process.stdout.write(`monohull: ${note}\n`)
  if (problems.length > 0) return report(problems)
  process.stdout.write('monohull: no problems found\n')
  return exitCode.ok
}

function report(problems: readonly Problem[]): number {
  process.stderr.write(`${formatProblems(problems)}\n`)
  return exitCode.config
}
