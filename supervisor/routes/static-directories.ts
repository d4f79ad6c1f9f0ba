import type { Change } from '../base/change.ts'
import { type DirectoryWatch, watchDirectory } from '../base/directory-watch.ts'
import type { Runtime } from '../base/runtime.ts'
import type { AppSettings } from '../workers/adapters/app-settings.ts'
import { type DirectorySources, staticDirectoriesOf } from './model.ts'
import { type Directories, isLinkless } from './static-directory.ts'

/** A change counts at the second look. */
const everyMs = 3000

/** Settings that static files depend on. */
export interface StaticDirectoriesSettings extends DirectorySources {
  apps: readonly AppSettings[]
  processes: readonly { uid: number | undefined }[]
  nginxUser: { uid: number } | undefined
}

export interface StaticDirectoriesDeps extends Pick<Runtime, 'clock' | 'log'> {
  /** The settings in force. */
  settings(): StaticDirectoriesSettings
  /** In development, folders change all the time, and nothing is taken for known. */
  isDevelopment: boolean | undefined
  /** Called when nginx has to look for links again. */
  onChange(): Promise<void>
}

/** Part of nginx's model that the directories give. */
export interface StaticFilesModel {
  directories: Directories
}

/** What is known of the directories of static files. */
export interface StaticDirectories {
  readonly name: string
  prepare(next: StaticDirectoriesSettings): Promise<Change<StaticFilesModel>>
  model(): StaticFilesModel
  close(): Promise<void> | undefined
  /** Begins to look, now and then, whether links still cannot be where they could not. */
  watch(): void
}

/** Looks at all directories that routes lead to. */
export async function openStaticDirectories(deps: StaticDirectoriesDeps): Promise<StaticDirectories> {
  const { settings } = deps
  let known = await look(settings())
  let watch: DirectoryWatch | undefined

  async function look(of: StaticDirectoriesSettings): Promise<Directories> {
    return deps.isDevelopment ? new Map() : inspectDirectories(of)
  }

  /** The directories without links that may have some by now. */
  async function findNewLinks(): Promise<Directories> {
    const linkless = [...known].flatMap(([root, facts]) => (isLinkless(facts) ? [root] : []))
    const now = await lookAt(linkless, settings())
    return new Map([...now].filter(([, facts]) => !isLinkless(facts)))
  }

  return {
    name: 'static files',
    async prepare(next) {
      const prepared = await look(next)
      return {
        model: () => ({ directories: prepared }),
        commit() {
          known = prepared
        },
      }
    },
    model: () => ({ directories: known }),
    watch() {
      let opened: Directories = new Map()
      watch = watchDirectory({
        ...deps,
        everyMs,
        what: 'the folders of static files',
        known: '',
        async sign() {
          opened = await findNewLinks()
          return [...opened.keys()].join('\n')
        },
        async onRest() {
          if (opened.size === 0) return
          known = new Map([...known, ...opened])
          deps.log.info('a symbolic link may be among static files now, nginx looks for them', {
            folders: [...opened.keys()].join(','),
          })
          await deps.onChange()
        },
      })
    },
    close: () => watch?.close(),
  }
}

/** Facts about the directories that routes lead to, without development's doubts. */
export async function inspectDirectories(settings: StaticDirectoriesSettings): Promise<Directories> {
  return lookAt(staticDirectoriesOf(settings), settings)
}

async function lookAt(roots: readonly string[], settings: StaticDirectoriesSettings): Promise<Directories> {
  if (roots.length === 0) return new Map()
  const { inspectDirectory } = await import('./adapters/static-directory.ts')
  const uids = programUids(settings)
  return new Map(await Promise.all(roots.map(async root => [root, await inspectDirectory(root, uids)] as const)))
}

/** Users that programs run as here. Whoever else writes into a directory is an operator. */
function programUids({ apps, processes, nginxUser }: StaticDirectoriesSettings): number[] {
  const own = process.geteuid?.() ?? 0
  return [
    nginxUser?.uid ?? own,
    ...apps.flatMap(({ plan, context }) => (plan ? [context.account?.uid ?? own] : [])),
    ...processes.map(({ uid }) => uid ?? own),
  ]
}
