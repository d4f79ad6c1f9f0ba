import { restTickMs, untilTick } from '../base/clock.ts'
import type { Runtime } from '../base/runtime.ts'

/** Time after which a missing file is looked for again, in ms. */
const againMs = 2000
const shown = 3

/** Dependencies of the watch. */
export interface RunDirWatchDeps extends Pick<Runtime, 'clock' | 'log'> {
  /** Required paths of the run directory that do not exist now. */
  missing(): string[]
  /** Writes the record of this instance again, for the command line and the next start. */
  restoreRecord(): void
}

/**
 * Checks at intervals that the run directory is complete. A cleaner of temporary files may remove the sockets through which
 * nginx reaches the workers, and only a restart can create them again. Files missing in two checks in a row are logged once.
 */
export function watchRunDir({ clock, log, missing, restoreRecord }: RunDirWatchDeps): { close(): Promise<void> } {
  let missed: string[] = []
  let cancel = () => {}

  function check(): void {
    const now = missing()
    const lost = now.filter(path => missed.includes(path))
    missed = now
    if (lost.length === 0) {
      checkLater()
      return
    }
    log.error(
      'files of run_dir were removed while monohull is running: nginx cannot reach the workers or its own files',
      {
        missing: lost.slice(0, shown).join(','),
        more: lost.length > shown ? lost.length - shown : undefined,
        fix: 'restart monohull; keep cleaners of temporary files away from the directory, or set another run_dir',
      },
    )
    restoreRecord()
  }

  function checkLater(): void {
    cancel = clock.after(missed.length > 0 ? againMs : untilTick(clock, restTickMs), check)
  }

  checkLater()
  return {
    async close() {
      cancel()
    },
  }
}
