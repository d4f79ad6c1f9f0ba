import type { LocalServer } from '../admin/server.ts'
import { systemClock } from '../base/clock.ts'
import { type Folders, isLinkless } from '../domain/static-folder.ts'
import { watchFolder } from '../services/folder-watch.ts'
import { foldersOf } from './nginx-routes.ts'
import type { Parts } from './parts.ts'
import type { Settings } from './settings.ts'
import type { World } from './world.ts'

/** A change counts at the second look. */
const everyMs = 3000

/** Looks at all folders that routes lead to. In development they change all the time, and nothing is taken for known. */
export async function lookAtFolders(
  settings: Settings,
  { isDevelopment }: Pick<World, 'isDevelopment'>,
): Promise<Folders> {
  const roots = isDevelopment ? [] : foldersOf(settings)
  if (roots.length === 0) return new Map()
  const { lookAtFolder } = await import('../adapters/static-folder.ts')
  const uids = programUids(settings)
  return new Map(await Promise.all(roots.map(async root => [root, await lookAtFolder(root, uids)] as const)))
}

/** Where links cannot be, nginx does not look for any. This one looks, now and then, whether they still cannot, and has nginx look again if they can. */
export function watchFolders(parts: Parts): LocalServer {
  const { log } = parts
  let changed: Folders = new Map()
  return watchFolder({
    clock: systemClock,
    log,
    everyMs,
    what: 'the folders of static files',
    known: '',
    async sign() {
      changed = await findOpened(parts)
      return [...changed.keys()].join('\n')
    },
    async onRest() {
      if (changed.size === 0) return
      parts.folders = new Map([...(parts.folders ?? []), ...changed])
      log.info('a symbolic link may be among static files now, nginx looks for them', {
        folders: [...changed.keys()].join(','),
      })
      await parts.rotation?.changed()
    },
  })
}

/** The folders without links that may have some by now. */
async function findOpened({ folders = new Map(), settings }: Parts): Promise<Folders> {
  const linkless = [...folders].filter(([, facts]) => isLinkless(facts))
  if (linkless.length === 0) return new Map()
  const { lookAtFolder } = await import('../adapters/static-folder.ts')
  const uids = programUids(settings)
  const now = await Promise.all(linkless.map(async ([root]) => [root, await lookAtFolder(root, uids)] as const))
  return new Map(now.filter(([, facts]) => !isLinkless(facts)))
}

/** As whom programs run here. Whoever else writes into a folder is an operator. */
function programUids({ apps, processes, nginxUser }: Settings): number[] {
  const own = process.geteuid?.() ?? 0
  return [
    nginxUser?.uid ?? own,
    ...apps.flatMap(({ plan, place }) => (plan ? [place.account?.uid ?? own] : [])),
    ...processes.map(({ uid }) => uid ?? own),
  ]
}
