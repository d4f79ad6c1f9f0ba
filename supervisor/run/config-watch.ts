import { resolve } from 'node:path'
import type { DirectoryWatch } from '../base/directory-watch.ts'
import type { Runtime } from '../base/runtime.ts'
import type { Settings } from '../site/settings.ts'
import type { SendCommand } from './command.ts'
import type { Subject } from './subject.ts'

/** Interval of the polls where the kernel does not report changes, in ms. */
const everyMs = 3000

/** Dependencies of the watch. */
export interface ConfigWatchDeps extends Pick<Runtime, 'clock' | 'log'> {
  /** Settings in force. */
  settings(): Pick<Settings, 'configFile'> & { config: { watch_config: boolean } }
  /** `directory` is the name of the current directory, which may lead elsewhere after a deployment. */
  world: { directory?: string | undefined }
  send: SendCommand
}

/**
 * Watch that reloads after a change of the configuration file, while `watch_config` is set. A file that is refused is not tried again before
 * its next change.
 */
export async function openConfigWatch(deps: ConfigWatchDeps): Promise<Subject> {
  const { settings, world, send } = deps
  let watch: DirectoryWatch | undefined
  let isOver = false

  async function open(): Promise<void> {
    const { configFile } = settings()
    if (!configFile) return
    const { watchDirectory } = await import('../base/directory-watch.ts')
    const { followFile } = await import('../base/adapters/directory-events.ts')
    const { signConfigFile } = await import('./adapters/config-signature.ts')
    const path = () => resolve(world.directory ?? '', configFile.path)
    const known = await signConfigFile(path(), configFile.text)
    if (isOver) return
    watch = watchDirectory({
      ...deps,
      everyMs,
      what: 'the configuration file',
      known,
      sign: () => signConfigFile(path()),
      follow: onChange => followFile(path(), onChange),
      async onRest() {
        // the reload may end this watch, which waits for this function
        void send({ type: 'reload' }, `a change of ${configFile.path}`)
      },
    })
  }

  async function close(): Promise<void> {
    const ended = watch
    watch = undefined
    await ended?.close()
  }

  if (settings().config.watch_config) await open()
  return {
    name: 'configuration watch',
    async prepare({ config }) {
      if (config.watch_config === settings().config.watch_config) return undefined
      return { commit: config.watch_config ? open : close }
    },
    quiesce() {
      isOver = true
      return close()
    },
  }
}
