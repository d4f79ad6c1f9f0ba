import type { World } from '../base/world.ts'
import { pauseBounds } from '../front/pause/bounds.ts'
import { command } from './control.ts'
import { readDuration } from './duration-option.ts'
import type { OutputFormat } from './json.ts'
import type { CommandLine } from './load.ts'

/** Runs `monohull pause` for the running instance. `duration` is that of `--for`. */
export async function pause(
  commandLine: CommandLine,
  world: World,
  duration: string | undefined,
  format: OutputFormat,
): Promise<number> {
  if (duration === undefined) return command(commandLine, world, 'pause', format)
  readDuration('--for', duration, pauseBounds)
  return command(commandLine, world, `pause?for=${encodeURIComponent(duration)}`, format)
}
