import type { Log } from '../base/log.ts'

/** Reloads whose old workers may finish requests at the same time: each set of workers takes memory. */
const maxGenerations = 4

/** View of nginx workers that were told to stop. */
export interface OldWorkersView {
  childrenOf(pid: number): number[]
  /** Ends a worker at once, with its connections. No effect if it has exited. */
  endWorker(pid: number): void
}

/** nginx workers that were replaced by a reload and still finish downloads, uploads, streams and WebSockets. */
export interface OldWorkers {
  /** Records the workers of a master that a reload has replaced. Ends the oldest if there are too many. */
  replaced(master: number, workers: readonly number[]): void
  /** Number of them that are left. */
  count(): number
}

/** Registry of old workers, which is empty at first. */
export function createOldWorkers(processes: OldWorkersView, log: Log): OldWorkers {
  /** Workers by reload, the oldest first. */
  let generations: { master: number; workers: readonly number[] }[] = []

  /** Forgets workers that have exited. */
  function refresh(): void {
    generations = generations
      .map(({ master, workers }) => {
        const present = new Set(processes.childrenOf(master))
        return { master, workers: workers.filter(pid => present.has(pid)) }
      })
      .filter(({ workers }) => workers.length > 0)
  }

  return {
    replaced(master, workers) {
      const recorded = new Set(generations.flatMap(generation => generation.workers))
      generations.push({ master, workers: workers.filter(pid => !recorded.has(pid)) })
      refresh()
      for (const { workers: oldest } of generations.splice(0, generations.length - maxGenerations)) {
        log.warn('ended the oldest nginx workers, with their connections', {
          workers: oldest.length,
          fix: 'reload less often, or set nginx.drain_timeout to a shorter time',
        })
        for (const pid of oldest) processes.endWorker(pid)
      }
    },
    count() {
      refresh()
      return generations.reduce((sum, { workers }) => sum + workers.length, 0)
    },
  }
}
