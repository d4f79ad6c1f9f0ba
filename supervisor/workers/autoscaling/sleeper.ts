import type { Clock } from '../../base/clock.ts'
import { formatDuration } from '../../base/duration.ts'
import { reasonOf } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import type { WorkerPool } from '../pool.ts'

/** Bounds of the time after which an app is looked at again that has open connections, or could not sleep. */
const againMs = { min: 1000, max: 60_000 }

/** Use of an app at one moment. */
export interface AppUse {
  /** Time since its last request ended, in ms; undefined if there was none. */
  quietMs: number | undefined
  /** Connections to its workers, among them WebSockets and responses that are still sent. */
  connections: number
}

/** Dependencies of the sleeper of one app. */
export interface SleeperDeps {
  clock: Clock
  log: Log
  app: string
  /** The app's pool; undefined if a reload has removed it. */
  pool: () => Pick<WorkerPool, 'plan' | 'sleep'> | undefined
  /** Undefined if nginx or the kernel does not report it: then the app stays awake. */
  use: () => Promise<AppUse | undefined>
}

/**
 * Time in ms after which to look again, 0 if the app is idle. `awakeMs`: time since it was started or woken. nginx closes connections on which
 * nothing happens long before `idleMs`, so any that is open is in use.
 */
export function untilIdle(
  { quietMs, connections }: AppUse,
  { awakeMs, idleMs }: { awakeMs: number; idleMs: number },
): number {
  const unusedMs = Math.min(awakeMs, quietMs ?? awakeMs)
  if (unusedMs < idleMs) return idleMs - unusedMs
  return connections > 0 ? lookAgainMs(idleMs) : 0
}

function lookAgainMs(idleMs: number): number {
  return Math.min(againMs.max, Math.max(againMs.min, idleMs / 10))
}

/** Puts an app to sleep when nobody has used it for `idle`. It does nothing while the app sleeps. Returns a function that ends it. */
export function runSleeper({ clock, log, app, pool, use }: SleeperDeps): () => void {
  let awakeSince = clock.monotonic()
  let isEnded = false
  let cancel = () => {}
  let isFailing = false

  async function restMs(idleMs: number): Promise<number> {
    const found = await use()
    return found ? untilIdle(found, { awakeMs: clock.monotonic() - awakeSince, idleMs }) : lookAgainMs(idleMs)
  }

  async function look(): Promise<void> {
    const idleMs = pool()?.plan().idleMs
    if (isEnded || idleMs === undefined) return
    let leftMs = await restMs(idleMs)
    if (leftMs > 0) return lookIn(leftMs)
    const sleep = await pool()?.sleep(async () => {
      leftMs = await restMs(idleMs)
      return !isEnded && leftMs === 0
    })
    if (!sleep) return lookIn(Math.max(leftMs, againMs.min))
    isFailing = false
    log.info('asleep: the next request starts a worker', { app, idle: formatDuration(idleMs) })
    await sleep.woken
    awakeSince = clock.monotonic()
    lookIn(idleMs)
  }

  function lookIn(ms: number): void {
    if (isEnded) return
    cancel = clock.after(Math.ceil(ms), () => {
      look().catch(error => {
        if (!isFailing) log.warn('cannot let an app sleep, it stays awake', { app, reason: reasonOf(error) })
        isFailing = true
        lookIn(againMs.max)
      })
    })
  }

  lookIn(pool()?.plan().idleMs ?? 0)
  return () => {
    isEnded = true
    cancel()
  }
}
