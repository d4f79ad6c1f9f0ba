import type { Clock } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import type { SharedRecord, SharedState } from '../../shared-state/state.ts'
import { furtherOf, type HstsProgress, readProgress } from './stages.ts'

/** Progress of HSTS that all instances with one shared state have. */
export interface SharedProgress {
  /** Progress of the others as of the last reading; undefined before the first one. */
  known(): { progress: HstsProgress | undefined } | undefined
  /** Whether the others can read what this instance reaches. Without that, no stage begins. */
  isReachable(): boolean
  /** Time by the clock that all instances use, in ms since the Unix epoch. */
  now(): number
  /** Shares the progress of this instance; undefined: its certificates are not trusted. */
  offer(progress: HstsProgress | undefined): void
  close(): void
}

/** Dependencies of the shared progress. */
export interface SharedProgressDeps {
  state: Pick<SharedState, 'read' | 'write' | 'remove' | 'watch' | 'problem' | 'now' | 'measureTime'>
  clock: Clock
  log: Pick<Log, 'debug'>
  /** Called when the progress of the others was read. */
  onChange(): void
}

const name = 'hsts'
/** Time between two signs that a certificate is trusted somewhere. */
const confirmMs = 60_000
/** Time without such a sign, and without a trusted certificate here, after which HSTS begins again. */
const distrustMs = 180_000

/** Record in the shared state. */
interface Shared {
  version: number
  progress: HstsProgress
  /** Time of the last sign that a certificate is trusted somewhere. */
  trustedAt: number
}

/** Shares the progress of HSTS. The stage that is further wins, and of its starts the first. It ends when no instance has a trusted certificate. */
export function shareProgress({ state, clock, log, onChange }: SharedProgressDeps): SharedProgress {
  let shared: Shared | undefined
  let isRead = false
  let isBusy = false
  let waiting: (() => Promise<unknown>) | undefined
  let distrustedSinceMs: number | undefined

  /** One work at a time, each with a reading after it. What comes meanwhile is next; of several, the last. */
  async function run(work: () => Promise<unknown>): Promise<void> {
    waiting = work
    if (isBusy) return
    isBusy = true
    try {
      for (let next = take(); next; next = take()) {
        await next()
        await read()
      }
    } catch (error) {
      // the connection is reported by the shared state; the next check tries again
      log.debug('cannot share the HSTS stage', { reason: messageOf(error) })
    } finally {
      isBusy = false
    }
  }

  function take(): (() => Promise<unknown>) | undefined {
    const next = waiting
    waiting = undefined
    return next
  }

  async function read(): Promise<void> {
    const before = JSON.stringify(shared?.progress)
    shared = readShared(await state.read(name))
    const isFirst = !isRead
    isRead = true
    if (isFirst || JSON.stringify(shared?.progress) !== before) onChange()
  }

  const write = (progress: HstsProgress) =>
    state.write(name, JSON.stringify({ ...progress, trustedAt: state.now() }), { version: shared?.version ?? 0 })

  const end = state.watch(name, () => void run(state.measureTime))
  void run(state.measureTime)
  return {
    known: () => (isRead ? { progress: shared?.progress } : undefined),
    isReachable: () => isRead && state.problem() === undefined,
    now: () => Math.round(state.now()),
    offer(progress) {
      if (!isRead || state.problem() !== undefined) return
      if (progress) {
        distrustedSinceMs = undefined
        const further = furtherOf(shared?.progress, progress)
        const isNews = further !== shared?.progress
        if (isNews || state.now() - (shared?.trustedAt ?? 0) >= confirmMs) void run(() => write(further ?? progress))
        return
      }
      distrustedSinceMs ??= clock.monotonic()
      const isDistrusted = clock.monotonic() - distrustedSinceMs >= distrustMs
      if (shared && isDistrusted && state.now() - shared.trustedAt >= distrustMs) {
        const { version } = shared
        void run(() => state.remove(name, { version }))
      }
    },
    close: end,
  }
}

function readShared(record: SharedRecord | undefined): Shared | undefined {
  const progress = record && readProgress(record.value)
  if (!progress) return undefined
  const { trustedAt } = JSON.parse(record.value) as { trustedAt?: unknown }
  return { version: record.version, progress, trustedAt: Number(trustedAt) || 0 }
}
