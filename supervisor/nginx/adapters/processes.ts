import {
  childrenOf,
  countOpenFiles,
  isGroupDraining,
  isHandlingHangup,
  isNginxDraining,
  readActivity,
  wakeUpsOf,
} from '../../processes/adapters/procfs.ts'
import type { ProcessSight } from '../frozen-processes.ts'
import type { ProcessView } from '../master.ts'

/** Processes of nginx as /proc shows them. */
export const nginxProcesses: ProcessView = {
  childrenOf,
  isNginxDraining,
  isGroupDraining,
  isHandlingSignal: isHandlingHangup,
  wakeUpsOf,
  endWorker(pid) {
    try {
      process.kill(pid, 'SIGTERM')
    } catch {
      // it has exited
    }
  },
}

/** Number of open files of a master's children; undefined without a master, or if the kernel does not report it (before Linux 6.2). */
export function openFilesOf(master: number | undefined): number | undefined {
  const counts = master === undefined ? [] : childrenOf(master).map(countOpenFiles)
  return counts.length > 0 && counts.every(count => count > 0) ? counts.reduce((sum, count) => sum + count) : undefined
}

/** Sight of a master and its children; empty without a master. */
export function sightNginx(master: number | undefined): ProcessSight[] {
  const own = master === undefined ? undefined : readActivity(master)
  if (!own) return []
  return [own, ...childrenOf(own.pid).flatMap(pid => readActivity(pid) ?? [])]
}
