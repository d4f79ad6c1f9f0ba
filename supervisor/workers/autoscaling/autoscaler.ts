import type { Clock } from '../../base/clock.ts'
import type { Outcome } from '../../base/outcome.ts'
import { decideScale, type LoadSample, type ScalePolicy, type WorkerLimits } from './decision.ts'

const intervalMs = 1000
/** Pause after new workers failed to start. */
const afterFailureMs = 30_000
const policy: Omit<ScalePolicy, keyof WorkerLimits> = {
  target: 0.6,
  high: 0.75,
  upAfterMs: 3000,
  low: 0.5,
  downAfterMs: 30_000,
}

/** Dependencies of the autoscaler of one app. */
export interface AutoscalerDeps {
  clock: Clock
  /** Limits on the number of workers; undefined while the number is fixed. */
  limits: () => WorkerLimits | undefined
  workers: () => number
  /** Load of the workers, from 0 to 1; undefined while it is unknown. */
  load: () => Promise<number | undefined>
  /** Changes the number of workers, through the command queue. */
  scale: (workers: number) => Promise<Outcome>
}

/** Samples the load once a second and scales the app. Returns a function that stops it. */
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
