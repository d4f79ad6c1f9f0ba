import {
  childrenOf,
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

/** Sight of a master and its children; empty without a master. Only a worker that accepts connections must wait from time to time. */
export function sightNginx(master: number | undefined): ProcessSight[] {
  const own = master === undefined ? undefined : readActivity(master)
  if (!own) return []
  const children = childrenOf(own.pid).flatMap(pid => readActivity(pid) ?? [])
  return [own, ...children.map(one => (isNginxDraining(one.pid) ? { ...one, waits: undefined } : one))]
}
