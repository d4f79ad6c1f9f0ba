import type { Clock } from '../base/clock.ts'
import { onTicks, restTickMs } from '../base/clock.ts'
import { messageOf } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { createAccessFile } from './adapters/log-directory.ts'
import { renameLarge, tidyRenamed } from './adapters/renamed-files.ts'
import type { LogFilesConfig } from './keys.ts'

/** Names of the files, without their ending. */
const fileKinds = ['monohull', 'access'] as const

/** Care for renamed log files, and for access.log, which nginx writes. */
export interface LogFileCareDeps {
  clock: Clock
  log: Pick<Log, 'error'>
  files: LogFilesConfig
  /** Makes nginx open its files again. */
  reopenNginx: () => void
}

/** Renames access.log when it is large, and compresses and removes old files, on each tick. Returns a function that ends it. */
export function careForLogFiles(deps: LogFileCareDeps): () => void {
  const { clock, log, files, reopenNginx } = deps
  const { directory, max_size, max_age, keep, compress } = files
  let problem: string | undefined
  return onTicks(clock, restTickMs, async () => {
    try {
      const now = clock.now()
      if (await renameLarge(directory, 'access', { maxBytes: max_size, now })) {
        createAccessFile(directory)
        reopenNginx()
      }
      await tidyRenamed(directory, fileKinds, { keep, maxAgeMs: max_age, now, compress })
      problem = undefined
    } catch (error) {
      const next = messageOf(error)
      if (next !== problem) log.error('cannot rotate log files', { directory, error: next })
      problem = next
    }
  })
}
