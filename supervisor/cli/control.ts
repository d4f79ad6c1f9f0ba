import { join } from 'node:path'
import { systemClock } from '../base/adapters/system-clock.ts'
import { pause } from '../base/clock.ts'
import { exitCode, OperatorError } from '../base/errors.ts'
import type { Outcome } from '../base/outcome.ts'
import { plainText } from '../base/plain-text.ts'
import type { World } from '../base/world.ts'
import { askAdmin } from '../run/adapters/admin-client.ts'
import { findRunning, isRunning, readInstance } from '../run/adapters/instance.ts'
import { adminSocketName, runningDirs } from '../run/adapters/instance-search.ts'
import { developmentRunDir } from './development-run-dir.ts'
import { type OutputFormat, toJson } from './json.ts'
import { type CommandLine, findRunDir } from './load.ts'

const endPollMs = 20
const startPollMs = 50

/** Sends a command such as `reload` or `scale/4` to the running instance, and prints the result; fails if the command failed. */
export async function command(
  commandLine: CommandLine,
  world: World,
  path: string,
  format: OutputFormat = 'text',
): Promise<number> {
  const { body } = await askAdmin(await socketOf(commandLine, world), {
    method: 'POST',
    path: `/${path}`,
    hook: world.env.MONOHULL_EVENT,
  })
  return printOutcome(body as Outcome, format)
}

/** Prints the outcome of a command, and returns its exit code. */
export function printOutcome(outcome: Outcome, format: OutputFormat = 'text'): number {
  if (format === 'json') process.stdout.write(toJson(outcome))
  else if (outcome.ok) process.stdout.write(`monohull: ${outcome.message}\n`)
  else
    process.stderr.write(
      plainText(`monohull: ${outcome.message}: ${[outcome.reason, ...(outcome.lastLines ?? [])].join('\n')}\n`),
    )
  return outcome.ok ? exitCode.ok : exitCode.failed
}

/** Reloads the running instance. It reads the file that it was started with, so another one is an error. */
export async function reloadInstance(
  commandLine: CommandLine,
  world: World,
  { allowsMissing, format }: { allowsMissing: boolean; format: OutputFormat },
): Promise<number> {
  if (commandLine.configFile !== undefined)
    throw new OperatorError('monohull reload reads the file that the instance was started with, not that of --config', {
      fix: 'change that file, or restart monohull with another; to choose an instance, use --run-dir',
      code: exitCode.usage,
    })
  return command(commandLine, world, allowsMissing ? 'reload?allow-missing=true' : 'reload', format)
}

/** Stops the running instance and waits until it has ended. */
export async function stopInstance(commandLine: CommandLine, world: World, format: OutputFormat): Promise<number> {
  const runDir = await runDirOf(commandLine, world)
  const running = readInstance(runDir)?.supervisor
  const { body } = await askAdmin(await socketOf(commandLine, world), {
    method: 'POST',
    path: '/stop',
    hook: world.env.MONOHULL_EVENT,
  })
  const outcome = body as Outcome
  if (!outcome.ok || format === 'text') printOutcome(outcome, format)
  // another instance may start in the same directory at once
  while (running && isRunning(running)) await pause(systemClock, endPollMs)
  if (!outcome.ok) return exitCode.failed
  return printOutcome({ ok: true, message: 'stopped' }, format)
}

/** Path of the admin socket of the instance that the command line selects. */
export async function socketOf(commandLine: CommandLine, world: World): Promise<string> {
  const runDir = await runDirOf(commandLine, world)
  // the first worker is ready before the instance accepts commands
  const isWorkerHook = world.env.MONOHULL_EVENT?.startsWith('worker_')
  while (isWorkerHook && findRunning(runDir) !== undefined && !readInstance(runDir)?.isServing)
    await pause(systemClock, startPollMs)
  return join(runDir, adminSocketName)
}

/**
 * Run directory that is set or the default; if neither has an instance, that of a `monohull dev` for this app, or in the image of the only
 * instance there: a flag may have set it.
 */
export async function runDirOf(commandLine: CommandLine, world: World): Promise<string> {
  const usual = await findRunDir(commandLine, world)
  const isSet = commandLine.flags.run_dir !== undefined || world.env.MONOHULL_RUN_DIR !== undefined
  if (isSet || findRunning(usual) !== undefined) return usual
  const development = developmentRunDir(commandLine, world)
  if (findRunning(development) !== undefined) return development
  const [only, ...others] = world.env.MONOHULL_IMAGE === '1' ? runningDirs() : []
  return only !== undefined && others.length === 0 ? only : usual
}
