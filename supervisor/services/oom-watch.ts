import type { Exit } from '../domain/exit.ts'
import type { MemoryGroup } from '../domain/ports.ts'

/** Tells the victims of the kernel's OOM killer from what others end by SIGKILL. */
export interface OomWatch {
  /** The exit, marked when the kernel counts a victim more than have been told so far. */
  judge(exit: Exit): Exit
  limit(): number | undefined
}

export function createOomWatch(group: MemoryGroup): OomWatch {
  let told = group.oomKills()
  return {
    limit: () => group.limit(),
    judge(exit) {
      const kills = group.oomKills()
      if (exit.kind !== 'signal' || exit.signal !== 'SIGKILL') {
        told = kills // a victim that was no worker
        return exit
      }
      if (kills <= told) return exit
      told++
      return { ...exit, isOutOfMemory: true }
    },
  }
}
