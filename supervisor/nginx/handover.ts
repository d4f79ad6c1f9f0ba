import { type Clock, pause } from '../base/clock.ts'
import type { Log } from '../base/log.ts'

/** View of an nginx master that loads a configuration, and of its workers. */
export interface MasterView {
  childrenOf(pid: number): number[]
  /** Whether an nginx worker has stopped accepting connections. */
  isNginxDraining(pid: number): boolean
  /** Whether a master handles a signal, during which it blocks all others; undefined if that cannot be seen. */
  isHandlingSignal(pid: number): boolean | undefined
}

/** Result of a reload as it was observed: `unclear` if nothing could be seen in time. */
export type HandoverResult = 'taken' | 'refused' | 'unclear' | 'gone'

/** Dependencies of an observation. */
export interface HandoverDeps {
  clock: Clock
  log: Log
  processes: MasterView
  /** Generation that a worker returns; undefined without a response. */
  askGeneration(): Promise<number | undefined>
}

/** A reload to observe: the master, the workers that it had before the signal, and the generation that it was told to load. */
export interface Handover {
  pid: number
  known: readonly number[]
  generation: number
  hasExited(): boolean
}

const pollMs = 2
/** Time for workers to start, and for old ones to notice that they must stop. Loading takes as long as it takes. */
const settleMs = 10_000
const slowMs = 10_000

/** Observes what a master does with a reload: it is over when the master waits for signals again and its old workers accept no more. */
export async function observeHandover(deps: HandoverDeps, handover: Handover): Promise<HandoverResult> {
  const { clock, processes } = deps
  const { pid, known, generation, hasExited } = handover
  const hasNewWorkers = () => processes.childrenOf(pid).some(child => !known.includes(child))
  await waitWhileLoading(deps, () => hasExited() || processes.isHandlingSignal(pid) !== true)
  const canSee = processes.isHandlingSignal(pid) !== undefined
  const deadline = clock.monotonic() + settleMs
  let wasSeen = false
  while (!hasExited() && clock.monotonic() < deadline) {
    if (hasNewWorkers() && known.every(processes.isNginxDraining)) {
      const running = await deps.askGeneration()
      if (running === undefined || running === generation) return 'taken'
    } else if (canSee) {
      wasSeen ||= (await deps.askGeneration()) === generation
      if (!wasSeen && !hasNewWorkers()) return 'refused'
    }
    await pause(clock, pollMs)
  }
  if (hasExited()) return 'gone'
  return wasSeen ? 'taken' : 'unclear'
}

/** Waits until a master has loaded or refused its configuration, and logs that it takes long. */
export async function waitWhileLoading({ clock, log }: Pick<HandoverDeps, 'clock' | 'log'>, isOver: () => boolean) {
  const slowAt = clock.monotonic() + slowMs
  let isLogged = false
  while (!isOver()) {
    if (!isLogged && clock.monotonic() >= slowAt) {
      isLogged = true
      log.warn('nginx takes long to load its configuration', {
        fix: 'look for host names in your nginx files that resolve slowly, and for files on a slow disk',
      })
    }
    await pause(clock, pollMs)
  }
}
