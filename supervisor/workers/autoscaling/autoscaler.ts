import type { Clock } from '../../base/clock.ts'
import type { Outcome } from '../../base/outcome.ts'
import { decideScale, type LoadSample, type ScalePolicy, type WorkerLimits } from './decision.ts'

const intervalMs = 1000
/** New workers that did not come up are not tried again at once. */
const afterFailureMs = 30_000
const policy: Omit<ScalePolicy, keyof WorkerLimits> = {
  target: 0.6,
  high: 0.75,
  upAfterMs: 3000,
  low: 0.5,
  downAfterMs: 30_000,
}

export interface AutoscalerDeps {
  clock: Clock
  /** Between which numbers; undefined while the number is fixed. */
  limits: () => WorkerLimits | undefined
  workers: () => number
  /** How busy the workers are, from 0 to 1; undefined when that is not known now. */
  load: () => Promise<number | undefined>
  /** Through the queue of commands. */
  scale: (workers: number) => Promise<Outcome>
}

/** Looks at the load once a second, and asks for more or fewer workers. Returns what ends it. */
export function runAutoscaler({ clock, limits, workers, load, scale }: AutoscalerDeps): () => void {
  let samples: LoadSample[] = []
  let counted = workers()
  let notBefore = 0

  async function look(): Promise<void> {
    const bounds = limits()
    const now = await load()
    if (workers() !== counted) samples = []
    counted = workers()
    if (!bounds || now === undefined || clock.monotonic() < notBefore) return
    samples = [
      ...samples.filter(({ at }) => at >= clock.monotonic() - 2 * policy.downAfterMs),
      { at: clock.monotonic(), load: now },
    ]
    const wanted = decideScale(samples, counted, { ...policy, ...bounds })
    if (wanted === undefined) return
    samples = []
    const outcome = await scale(wanted)
    if (!outcome.ok) notBefore = clock.monotonic() + afterFailureMs
  }

  let isEnded = false
  let cancel = () => {}
  const lookAgain = () => {
    if (!isEnded) cancel = clock.after(intervalMs, () => void look().finally(lookAgain))
  }
  lookAgain()
  return () => {
    isEnded = true
    cancel()
  }
}
