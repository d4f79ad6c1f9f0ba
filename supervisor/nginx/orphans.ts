import { type Clock, pause } from '../base/clock.ts'
import type { Child } from '../processes/child.ts'

const lookEveryMs = 1000
/** How long they may take to stop accepting, and how often that is looked at. */
const leavingMs = 2000
const leavingPollMs = 10
/** Busy ones go after this time all the same: each dead master leaves its workers' memory in use. */
const longestMs = 60_000

/**
 * nginx workers whose master died. They serve on, beside those of the new master and with the same configuration, so
 * nothing is gained by telling them to quit at once, and something lost: a worker that quits closes its idle client
 * connections, while a request may be on its way on them. They are told when they have been quiet for a second.
 */
export interface NginxOrphans {
  /** Takes care of the process group that a dead master leaves. */
  adopt(master: Child): void
  /** Tells all of them: gracefully when their configuration is out of date, else when everything stops. */
  retire(signal: 'SIGQUIT' | 'SIGTERM'): void
  /** Tells all of them to quit; settles when none takes a request any more. */
  leave(): Promise<void>
}

/** View of groups of nginx workers. */
export interface OrphanView {
  /** Whether none of a group accepts anything any more. */
  isGroupLeaving(group: number): boolean
  /** How often the processes of a group went to sleep and woke up so far, which is what a server at rest does not do. */
  wakeUpsOf(group: number): number
}

interface Orphans {
  master: Child
  since: number
  /** How often they had woken up when they were last looked at. */
  wakeUps: number | undefined
}

export function createNginxOrphans({ clock, processes }: { clock: Clock; processes: OrphanView }): NginxOrphans {
  let groups: Orphans[] = []
  let cancelLook: (() => void) | undefined

  function look(): void {
    groups = groups.filter(group => {
      const wakeUps = processes.wakeUpsOf(group.master.pid)
      if (wakeUps !== group.wakeUps && clock.monotonic() - group.since < longestMs) {
        group.wakeUps = wakeUps
        return true
      }
      group.master.signalGroup('SIGQUIT')
      return false
    })
    cancelLook = groups.length > 0 ? clock.after(lookEveryMs, look) : undefined
  }

  function retire(signal: 'SIGQUIT' | 'SIGTERM'): void {
    cancelLook?.()
    cancelLook = undefined
    for (const { master } of groups) master.signalGroup(signal)
    groups = []
  }

  return {
    adopt(master) {
      groups.push({ master, since: clock.monotonic(), wakeUps: processes.wakeUpsOf(master.pid) })
      cancelLook ??= clock.after(lookEveryMs, look)
    },
    retire,
    async leave() {
      const masters = groups.map(({ master }) => master.pid)
      retire('SIGQUIT')
      const deadline = clock.monotonic() + leavingMs
      while (!masters.every(processes.isGroupLeaving) && clock.monotonic() < deadline) await pause(clock, leavingPollMs)
    },
  }
}
