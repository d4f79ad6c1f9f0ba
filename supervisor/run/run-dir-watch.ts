import type { Runtime } from '../base/runtime.ts'

const everyMs = 2000
const shown = 3

export interface RunDirWatchDeps extends Pick<Runtime, 'clock' | 'log'> {
  /** What of the run folder has to be there now, and is not. */
  missing(): string[]
  /** Puts the record of this instance back, for the command line and the next start. */
  noteAgain(): void
}

/**
 * Looks whether the run folder is still whole. A cleaner of temporary files takes away what nothing but a restart can give
 * back: the sockets that nginx finds the workers at. What two looks in a row miss is told, once.
 */
export function watchRunDir({ clock, log, missing, noteAgain }: RunDirWatchDeps): { close(): Promise<void> } {
  let missed: string[] = []
  let cancel = () => {}

  function look(): void {
    const now = missing()
    const lost = now.filter(path => missed.includes(path))
    missed = now
    if (lost.length === 0) {
      lookLater()
      return
    }
    log.error(
      'files of run_dir were removed while monohull runs: nginx cannot find the workers and its own files there',
      {
        missing: lost.slice(0, shown).join(','),
        more: lost.length > shown ? lost.length - shown : undefined,
        fix: 'restart monohull; keep cleaners of temporary files away from the folder, or name another as run_dir',
      },
    )
    noteAgain()
  }

  function lookLater(): void {
    cancel = clock.after(everyMs, look)
  }

  lookLater()
  return {
    async close() {
      cancel()
    },
  }
}
