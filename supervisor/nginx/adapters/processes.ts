import {
  childrenOf,
  isGroupDraining,
  isHandlingHangup,
  isNginxDraining,
  wakeUpsOf,
} from '../../processes/adapters/procfs.ts'
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
