import { readdirSync, readFileSync, statSync } from 'node:fs'
import { findRunning, type InstanceRecord, readInstance } from './instance.ts'

/**
 * Record of the instance in `runDir`. If none runs there, and `searches` is set, that of another instance in this container: its run directory
 * may be set in a file or by a flag, which only the instance itself has read. Its nginx names it on its command line.
 */
export function searchInstance(runDir: string, searches: boolean): InstanceRecord | undefined {
  if (findRunning(runDir) !== undefined || !searches) return readInstance(runDir)
  const other = runDirsOf(readCommandLines()).find(directory => findRunning(directory) !== undefined)
  return readInstance(other ?? runDir)
}

/** Run directories that command lines of nginx masters name. */
export function runDirsOf(commandLines: readonly string[]): string[] {
  return commandLines.flatMap(
    line => /^nginx: master process .* -c (\/.+)\/nginx\/current\/nginx\.conf\0*$/.exec(line)?.[1] ?? [],
  )
}

/** Command lines of this user's processes and root's; another user's could say anything. */
function readCommandLines(): string[] {
  const user = process.geteuid?.()
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .flatMap(pid => {
      try {
        const { uid } = statSync(`/proc/${pid}`)
        return uid === 0 || uid === user ? readFileSync(`/proc/${pid}/cmdline`, 'latin1') : []
      } catch {
        return [] // it has exited
      }
    })
}
