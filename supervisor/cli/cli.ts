import { OperatorError } from '../base/errors.ts'
import type { World } from '../base/world.ts'
import { run } from './run.ts'

/** Does what the command line says; settles with the exit code. */
export async function runCli(argv: string[], world: World): Promise<number> {
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

/** The app's command in `run COMMAND…` without flags: most starts, and they need not wait for the parser to load. */
function readPlainRun([name, ...words]: readonly string[]): string[] | undefined {
  if (name === undefined) return []
  return name === 'run' && !words[0]?.startsWith('-') ? words : undefined
}
