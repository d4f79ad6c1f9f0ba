import type { Exit } from './exit.ts'

/** Memory information about the cgroup of this container or service. */
export interface MemoryGroup {
  /** Number of processes that the OOM killer has killed so far; 0 if the kernel does not report it. */
  oomKills(): number
  /** Memory limit in bytes; undefined without a limit. */
  limit(): number | undefined
}

/** Distinguishes victims of the kernel's OOM killer from other processes that ended by SIGKILL. */
export interface OomWatch {
  /** The exit, marked as out of memory if the kernel counts more victims than have been marked. */
  judge(exit: Exit): Exit
  limit(): number | undefined
}

/** Watch that attributes SIGKILLs by the kernel's count of victims. */
export function createOomWatch(group: MemoryGroup): OomWatch {
  let attributed = group.oomKills()
  return {
    limit: () => group.limit(),
    judge(exit) {
      const kills = group.oomKills()
      if (exit.kind !== 'signal' || exit.signal !== 'SIGKILL') {
        attributed = kills // the victim was not a worker
        return exit
      }
      if (kills <= attributed) return exit
      attributed++
      return { ...exit, isOutOfMemory: true }
    },
  }
}
