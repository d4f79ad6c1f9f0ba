import type { CommandDeps } from './command-runner.ts'
import { type StartDeps, startPrograms } from './start-programs.ts'

/** Starts everything. Undefined if a stop was requested meanwhile. */
export async function start(deps: StartDeps): Promise<CommandDeps | undefined> {
  const programs = await startPrograms(deps)
  if (!programs) return undefined
  // loaded while the workers boot
  const { startServing } = await import('./start-serving.ts')
  return startServing(deps, programs)
}
