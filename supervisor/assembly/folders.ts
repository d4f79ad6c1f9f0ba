import type { Folders } from '../domain/static-folder.ts'
import { foldersOf } from './nginx-routes.ts'
import type { Settings } from './settings.ts'
import type { World } from './world.ts'

/** Looks at all folders that routes lead to. In development they change all the time, and nothing is taken for known. */
export async function lookAtFolders(
  settings: Settings,
  { isDevelopment }: Pick<World, 'isDevelopment'>,
): Promise<Folders> {
  const roots = isDevelopment ? [] : foldersOf(settings)
  if (roots.length === 0) return new Map()
  const { lookAtFolder } = await import('../adapters/static-folder.ts')
  return new Map(await Promise.all(roots.map(async root => [root, await lookAtFolder(root)] as const)))
}
