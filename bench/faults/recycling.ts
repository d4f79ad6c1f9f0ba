import { setTimeout as pause } from 'node:timers/promises'
import { workers } from '../workspace.ts'
import type { Fault } from './fault.ts'
import { type Incident, underLoad } from './under-load.ts'

const maxMemoryMb = 160
const deadlineMs = 90_000
const pollMs = 50

/** Replacement of workers after a number of requests, at least 4 times each. */
export const maxRequests: Fault = {
  name: 'max-requests',
  title: 'max_requests recycling of every worker',
  needs: 'maxRequests',
  asksWorkersToEnd: true,
  play(side, amount) {
    const limit = Math.max(50, Math.round(amount.requests / workers / 8))
    return underLoad({ side, amount, start: { maxRequests: limit }, act: untilAllRecycled })
  },
}

/** Replacement of leaking workers that have grown too large. */
export const maxMemory: Fault = {
  name: 'max-memory',
  title: `max_memory recycling of every worker (leaks 8 KB a request, ${maxMemoryMb} MB allowed)`,
  needs: 'maxMemory',
  asksWorkersToEnd: false,
  play: (side, amount) =>
    underLoad({ side, amount, start: { entry: 'leaking.js', maxMemoryMb }, act: untilAllRecycled }),
}

async function untilAllRecycled({ running, outcome }: Incident): Promise<void> {
  const first = running.workerPids()
  const seen = new Set(first)
  const deadline = performance.now() + deadlineMs
  let left = first
  while (left.length > 0 && performance.now() < deadline) {
    await pause(pollMs)
    const now = running.workerPids()
    for (const pid of now) seen.add(pid)
    left = left.filter(pid => now.includes(pid))
  }
  outcome.notes.push(`${seen.size - first.length} new workers`)
  if (left.length > 0) outcome.problems.push(`${left.length} workers were not recycled`)
}
