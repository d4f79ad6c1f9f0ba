import { dirname } from 'node:path'
import { followDirectory } from '../base/adapters/directory-events.ts'
import { signFile } from '../base/adapters/directory-signature.ts'
import { watchDirectory } from '../base/directory-watch.ts'
import type { Runtime } from '../base/runtime.ts'
import { openRouteFile } from './adapters/route-file.ts'
import { createFileRoutes, type FileRoutes } from './file-store.ts'
import type { StoreOpening } from './store-opening.ts'

/** Interval of the polls where the kernel does not report changes, in ms. */
const everyMs = 1000

/** Store in the file at a path, which is watched. */
export async function prepareFileStore(
  path: string,
  { clock, log }: Pick<Runtime, 'clock' | 'log'>,
): Promise<StoreOpening> {
  const known = await signFile(path)
  let store: FileRoutes | undefined
  return {
    isInMemory: true,
    open(onChange) {
      store = createFileRoutes({ file: openRouteFile(path), log, onChange })
      return store
    },
    follow: report =>
      watchDirectory({
        clock,
        log,
        what: 'dynamic routes',
        everyMs,
        known,
        sign: () => signFile(path),
        follow: onChange => followDirectory(dirname(path), onChange),
        async onRest() {
          await store?.refresh()
          await report()
        },
      }),
  }
}
