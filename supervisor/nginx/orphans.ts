import { type Clock, pause } from '../base/clock.ts'
import type { Child } from '../processes/child.ts'

const checkIntervalMs = 1000
/** Time for them to stop accepting, and interval of the checks. */
const drainTimeoutMs = 2000
const drainPollMs = 10
/** Busy workers are ended after this time too, because the workers of every dead master use memory. */
const maxBusyMs = 60_000

/**
 * nginx workers whose master died. They keep serving next to those of the new master, with the same configuration. Ending them at once
 * would only do harm: a worker that quits closes its idle client connections, on which a request may be on its way. They are ended after
 * a second without activity.
 */
export interface NginxOrphans {
  /** Adopts the process group of a dead master. */
  adopt(master: Child): void
  /** Signals all of them: SIGQUIT if their configuration is outdated, otherwise for a stop. */
  retire(signal: 'SIGQUIT' | 'SIGTERM'): void
  /** Ends all of them gracefully. Settles when none accepts requests any more. */
  drain(): Promise<void>
}

/** View of groups of nginx workers. */
export interface OrphanView {
  /** Whether no worker of a group accepts connections any more. */
  isGroupDraining(group: number): boolean
  /** Number of times that the processes of a group have gone to sleep and woken up so far. It does not grow while a server is idle. */
  wakeUpsOf(group: number): number
}

interface Orphans {
  master: Child
  since: number
  /** Wake-ups at the last check. */
  wakeUps: number | undefined
}

/** Registry of orphans, which is empty at first. */
export function createNginxOrphans({ clock, processes }: { clock: Clock; processes: OrphanView }): NginxOrphans {
  let groups: Orphans[] = []
  let cancelCheck: (() => void) | undefined

  function check(): void {
    groups = groups.filter(group => {
      const wakeUps = processes.wakeUpsOf(group.master.pid)
      if (wakeUps !== group.wakeUps && clock.monotonic() - group.since < maxBusyMs) {
        group.wakeUps = wakeUps
        return true
      }
      group.master.signalGroup('SIGQUIT')
      return false
    })
    cancelCheck = groups.length > 0 ? clock.after(checkIntervalMs, check) : undefined
  }

  function retire(signal: 'SIGQUIT' | 'SIGTERM'): void {
    cancelCheck?.()
    cancelCheck = undefined
    for (const { master } of groups) master.signalGroup(signal)
    groups = []
  }

  return {
    adopt(master) {
      groups.push({ master, since: clock.monotonic(), wakeUps: processes.wakeUpsOf(master.pid) })
      cancelCheck ??= clock.after(checkIntervalMs, check)
    },
    retire,
    async drain() {
      const masters = groups.map(({ master }) => master.pid)
      retire('SIGQUIT')
      const deadline = clock.monotonic() + drainTimeoutMs
      while (!masters.every(processes.isGroupDraining) && clock.monotonic() < deadline) await pause(clock, drainPollMs)
    },
  }
}
