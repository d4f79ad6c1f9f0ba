import { exitCode } from '../base/errors.ts'
import type { World } from '../base/world.ts'
import { formatProblems } from '../config/report.ts'
import { runSupervisor } from '../run/supervisor.ts'
import { type CommandLine, describeRefusal, resolveConfiguration } from './load.ts'

/** Runs `monohull run` until a stop; settles with the exit code. */
export async function run(commandLine: CommandLine, world: World): Promise<number> {
  const resolved = await resolveConfiguration(commandLine, world)
  if (resolved.ok)
    return runSupervisor({
      settings: resolved.settings,
      world,
      resolveAgain: async inForce => describeRefusal(await resolveConfiguration(commandLine, world, { inForce })),
    })
  process.stderr.write(`${formatProblems(resolved.problems)}\n`)
  return exitCode.config
}
