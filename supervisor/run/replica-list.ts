import type { Clock } from '../base/clock.ts'
import { messageOf } from '../base/errors.ts'
import type { ReplicasSection } from '../dashboard/sections.ts'
import type { ClusterMember } from './cluster.ts'

/** Age of the list from which on it is asked for again: the shared state sends a kilobyte for each instance. */
const freshMs = 5000
const mostRows = 100

/** Instances with the same shared state, as they were at the last question. It never waits, and asks again in the background. */
export type ReplicaList = () => ReplicasSection

/** Dependencies of `createReplicaList`. */
export interface ReplicaListDeps {
  clock: Pick<Clock, 'monotonic'>
  ask(): Promise<readonly ClusterMember[]>
}

/** List for the status page, which is asked for each second while the page is open. */
export function createReplicaList({ clock, ask }: ReplicaListDeps): ReplicaList {
  let known: ReplicasSection = { rows: [], all: 0, ready: 0, problem: undefined }
  let askedAt = Number.NEGATIVE_INFINITY
  let isAsking = false

  async function askAgain(): Promise<void> {
    isAsking = true
    askedAt = clock.monotonic()
    try {
      const members = await ask()
      known = {
        rows: members.toSorted((one, other) => rankOf(one) - rankOf(other)).slice(0, mostRows),
        all: members.length,
        ready: members.filter(({ state }) => state === 'ready').length,
        problem: undefined,
      }
    } catch (error) {
      known = { ...known, problem: messageOf(error) }
    } finally {
      isAsking = false
    }
  }

  return () => {
    if (!isAsking && clock.monotonic() - askedAt >= freshMs) void askAgain()
    return known
  }
}

/** Those that need attention come first, the others in their order. */
function rankOf({ isThis, state }: ClusterMember): number {
  if (isThis) return 0
  return state === 'ready' ? 2 : 1
}
