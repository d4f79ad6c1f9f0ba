import { kill } from './processes.ts'
import type { Running } from './stacks/stack.ts'

export const faults = ['workers slowly', 'workers', 'nginx', 'both'] as const
export type Fault = (typeof faults)[number]

/** How often each is killed. */
const everyMs: Record<Fault, { worker?: number; nginx?: number }> = {
  'workers slowly': { worker: 1000 },
  workers: { worker: 200 },
  nginx: { nginx: 2000 },
  both: { worker: 200, nginx: 2000 },
}

/** Kills random workers and nginx's master with -9 until it is stopped; `stop` gives the number of kills. */
export function startKiller(running: Running, fault: Fault): { stop: () => number } {
  let kills = 0
  const killOne = (victim: string) => {
    const pid = victim === 'nginx' ? running.nginxPid() : pick(running.workerPids())
    if (pid !== undefined && kill(pid, 'SIGKILL')) kills++
  }
  const timers = Object.entries(everyMs[fault]).map(([victim, ms]) => setInterval(killOne, ms, victim))
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
