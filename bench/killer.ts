import { kill } from './processes.ts'
import type { Running } from './stacks/stack.ts'

/** All kinds of kills. */
export const allKills = ['workers slowly', 'workers', 'nginx', 'both'] as const
/** Victims, and the rate of kills. */
export type Kill = (typeof allKills)[number]

/** Interval between the kills of each victim, in ms. */
const everyMs: Record<Kill, { worker?: number; nginx?: number }> = {
  'workers slowly': { worker: 1000 },
  workers: { worker: 200 },
  nginx: { nginx: 2000 },
  both: { worker: 200, nginx: 2000 },
}

/** Kills random workers and nginx's master with -9 until it is stopped; `stop` returns the number of kills. */
export function startKiller(running: Running, victim: Kill): { stop: () => number } {
  let kills = 0
  const killOne = (name: string) => {
    const pid = name === 'nginx' ? running.nginxPid() : pick(running.workerPids())
    if (pid !== undefined && kill(pid, 'SIGKILL')) kills++
  }
  const timers = Object.entries(everyMs[victim]).map(([name, ms]) => setInterval(killOne, ms, name))
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
