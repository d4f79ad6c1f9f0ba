import { OperatorError } from '../base/errors.ts'
import type { World } from '../base/world.ts'
import { readableEnv } from '../config/variables.ts'
import { run } from './run.ts'

/** Runs the command of the command line; settles with the exit code. */
export async function runCli(argv: string[], given: World): Promise<number> {
  const world = { ...given, env: readableEnv(given.env) }
  try {
    const command = readPlainRun(argv)
    if (command) return await run({ configFile: undefined, flags: {}, command }, world)
    const { runProgram } = await import('./program.ts')
    return await runProgram(argv, world)
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error
    process.stderr.write(`monohull: ${error.message}\n  fix: ${error.fix}\n`)
    return error.code
  }
}

/** Command of the app in `run COMMAND…` without flags. Most starts are like this, and need not load the parser. */
function readPlainRun([name, ...words]: readonly string[]): string[] | undefined {
  if (name === undefined) return []
  return name === 'run' && !words[0]?.startsWith('-') ? words : undefined
}
