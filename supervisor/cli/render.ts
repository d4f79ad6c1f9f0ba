import { exitCode } from '../base/errors.ts'
import type { World } from '../base/world.ts'
import { formatProblems } from '../config/report.ts'
import { previewFiles } from '../site/preview.ts'
import { toJson } from './json.ts'
import { type CommandLine, resolveConfiguration } from './load.ts'

/** Prints every file of the nginx configuration under its name, as if all workers were ready. */
export async function render(commandLine: CommandLine, world: World, isJson: boolean): Promise<number> {
  const resolved = await resolveConfiguration(commandLine, world)
  if (!resolved.ok) {
    process.stderr.write(`${formatProblems(resolved.problems)}\n`)
    return exitCode.config
  }
  const files = await previewFiles(resolved.settings, world)
  if (isJson) process.stdout.write(toJson(Object.fromEntries(files)))
  else process.stdout.write([...files].map(([name, text]) => `# ---- ${name}\n${text}`).join('\n'))
  return exitCode.ok
}
