import type { Exit } from './exit.ts'

/** What the kernel says about the memory of the cgroup that everything runs in. */
export interface MemoryGroup {
  /** How many processes its OOM killer has ended so far; 0 where the kernel does not tell. */
  oomKills(): number
  /** Bytes that it may use; undefined without a limit. */
  limit(): number | undefined
}

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
