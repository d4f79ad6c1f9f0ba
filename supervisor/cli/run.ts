import { systemClock } from '../base/adapters/system-clock.ts'
import { exitCode } from '../base/errors.ts'
import { createLog } from '../base/log.ts'
import type { World } from '../base/world.ts'
import { formatProblems, type Problem, shortValue } from '../config/report.ts'
import { runSupervisor } from '../run/supervisor.ts'
import { forgetConfigModules } from './adapters/config-modules.ts'
import { type CommandLine, describeConfiguration, describeRefusal, logFormatOf, resolveConfiguration } from './load.ts'

/** Runs `monohull run` until a stop; settles with the exit code. */
export async function run(commandLine: CommandLine, world: World): Promise<number> {
  const resolved = await resolveConfiguration(commandLine, world)
  forgetConfigModules()
  if (resolved.ok)
    return runSupervisor({
      settings: resolved.settings,
      world,
      async resolveAgain(inForce) {
        const again = describeRefusal(await resolveConfiguration(commandLine, world, { inForce }))
        forgetConfigModules()
        return again
      },
      async describeConfig({ configFile: file }) {
        const keys = await describeConfiguration(commandLine, world, { file })
        forgetConfigModules()
        return keys
      },
    })
  process.stderr.write(await describe(resolved.problems, commandLine, world))
  return exitCode.config
}

/** Problems in the format of the log, as far as the configuration sets one. */
async function describe(problems: readonly Problem[], commandLine: CommandLine, world: World): Promise<string> {
  if ((await logFormatOf(commandLine, world)) !== 'json') return `${formatProblems(problems)}\n`
  const lines: string[] = []
  const write = (line: string) => lines.push(line)
  const log = createLog({ format: 'json', level: 'error', now: systemClock.now, write })
  for (const { key, source, value, problem, fix } of problems)
    log.error('problem in the configuration', { key, from: source, problem, got: shortValue('', value), fix })
  return lines.join('')
}
