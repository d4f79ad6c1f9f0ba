import type { Change } from '../base/change.ts'
import { type DirectoryWatch, watchDirectory } from '../base/directory-watch.ts'
import type { Runtime } from '../base/runtime.ts'
import type { AppSettings } from '../workers/adapters/app-settings.ts'
import { type DirectorySources, staticDirectoriesOf } from './model.ts'
import { type Directories, isLinkless } from './static-directory.ts'

/** Interval between two checks; a change counts once another check sees it a second later. */
const everyMs = 5000

/** Settings that static files depend on. */
export interface StaticDirectoriesSettings extends DirectorySources {
  apps: readonly AppSettings[]
  processes: readonly { uid: number | undefined }[]
  nginxUser: { uid: number } | undefined
}

export interface StaticDirectoriesDeps extends Pick<Runtime, 'clock' | 'log'> {
  /** The settings in force. */
  settings(): StaticDirectoriesSettings
  /** In development, directories change all the time, so nothing is assumed about them. */
  isDevelopment: boolean | undefined
  /** Called when nginx must check for links again. */
  onChange(): Promise<void>
}

/** Part of nginx's model that describes the directories. */
export interface StaticFilesModel {
  directories: Directories
}

/** Facts about the directories of static files, kept current. */
export interface StaticDirectories {
  readonly name: string
  prepare(next: StaticDirectoriesSettings): Promise<Change<StaticFilesModel>>
  model(): StaticFilesModel
  close(): Promise<void> | undefined
  /** Starts to check at intervals whether directories without links still have none. */
  watch(): void
}

/** Inspects all directories that routes serve. */
export async function openStaticDirectories(deps: StaticDirectoriesDeps): Promise<StaticDirectories> {
  const { settings } = deps
  let known = await inspect(settings())
  let watch: DirectoryWatch | undefined
  let isWatching = false

  async function inspect(of: StaticDirectoriesSettings): Promise<Directories> {
    return deps.isDevelopment ? new Map() : inspectDirectories(of)
  }

  /** Directories that had no links and may contain some now. */
  async function findNewLinks(): Promise<Directories> {
    const linkless = [...known].flatMap(([root, facts]) => (isLinkless(facts) ? [root] : []))
    const now = await inspectAll(linkless, settings())
    return new Map([...now].filter(([, facts]) => !isLinkless(facts)))
  }

  return {
    name: 'static files',
    async prepare(next) {
      const prepared = await inspect(next)
      return {
        model: () => ({ directories: prepared }),
        commit() {
          known = prepared
          followLinkless()
        },
      }
    },
    model: () => ({ directories: known }),
    watch() {
      isWatching = true
      followLinkless()
    },
    close: () => watch?.close(),
  }

  /** Checks those without links at intervals, if there are any. */
  function followLinkless(): void {
    if (!isWatching || watch || ![...known.values()].some(isLinkless)) return
    let opened: Directories = new Map()
    watch = watchDirectory({
      ...deps,
      everyMs,
      what: 'the directories of static files',
      known: '',
      async sign() {
        opened = await findNewLinks()
        return [...opened.keys()].join('\n')
      },
      async onRest() {
        if (opened.size === 0) return
        known = new Map([...known, ...opened])
        deps.log.info('static files may contain symbolic links now: nginx checks for them', {
          directories: [...opened.keys()].join(','),
        })
        await deps.onChange()
      },
    })
  }
}

/** Facts about the directories that routes serve, whether in development or not. */
export async function inspectDirectories(settings: StaticDirectoriesSettings): Promise<Directories> {
  return inspectAll(staticDirectoriesOf(settings), settings)
}

async function inspectAll(roots: readonly string[], settings: StaticDirectoriesSettings): Promise<Directories> {
  if (roots.length === 0) return new Map()
  const { inspectDirectory } = await import('./adapters/static-directory.ts')
  const uids = programUids(settings)
  return new Map(await Promise.all(roots.map(async root => [root, await inspectDirectory(root, uids)] as const)))
}

/** Users that programs run as here. Any other user who writes to a directory counts as an operator. */
function programUids({ apps, processes, nginxUser }: StaticDirectoriesSettings): number[] {
  const own = process.geteuid?.() ?? 0
  return [
    nginxUser?.uid ?? own,
    ...apps.flatMap(({ plan, context }) => (plan ? [context.account?.uid ?? own] : [])),
    ...processes.map(({ uid }) => uid ?? own),
  ]
}
