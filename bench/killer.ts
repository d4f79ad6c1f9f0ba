import { kill } from './processes.ts'
import type { Running } from './stacks/stack.ts'

export const allKills = ['workers slowly', 'workers', 'nginx', 'both'] as const
/** Who is killed, and how often. */
export type Kill = (typeof allKills)[number]

/** How often each is killed. */
const everyMs: Record<Kill, { worker?: number; nginx?: number }> = {
  'workers slowly': { worker: 1000 },
  workers: { worker: 200 },
  nginx: { nginx: 2000 },
  both: { worker: 200, nginx: 2000 },
}

/** Kills random workers and nginx's master with -9 until it is stopped; `stop` gives the number of kills. */
export function startKiller(running: Running, victim: Kill): { stop: () => number } {
  let kills = 0
  const killOne = (whom: string) => {
    const pid = whom === 'nginx' ? running.nginxPid() : pick(running.workerPids())
    if (pid !== undefined && kill(pid, 'SIGKILL')) kills++
  }
  const timers = Object.entries(everyMs[victim]).map(([whom, ms]) => setInterval(killOne, ms, whom))
  return {
    stop() {
      for (const timer of timers) clearInterval(timer)
      return kills
    },
  }
}

function pick(pids: readonly number[]): number | undefined {
  return pids[Math.floor(Math.random() * pids.length)]
}
