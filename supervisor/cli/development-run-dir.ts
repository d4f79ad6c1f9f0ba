import { createHash } from 'node:crypto'
import { join, resolve } from 'node:path'
import type { World } from '../base/world.ts'
import { type CommandLine, installationDefaults } from './load.ts'

/** Run directory of `monohull dev`: one for each app, so that several can run at the same time. */
export function developmentRunDir(commandLine: CommandLine, world: World): string {
  const directory = resolve(commandLine.flags['app.directory'] ?? world.env.MONOHULL_DIRECTORY ?? '.')
  const name = createHash('sha256').update(directory).digest('hex').slice(0, 8)
  return join(`${installationDefaults(world).run_dir ?? '/run/monohull'}`, `dev-${name}`)
}
