import type { Death } from '../processes/death.ts'

/** Result of the first start of a pool: it is up, or a death has ended it, or without one a stop. */
export type BootResult = { ok: true } | { ok: false; death: Death | undefined }

/** First start of a pool: succeeds with the first ready worker, fails if the first worker of every slot has failed. */
export interface PoolBoot {
  readonly settled: Promise<BootResult>
  /** Records that a worker is ready. */
  readied(): void
  /** Records the end of a slot's worker. Returns whether that makes the start of the pool fail. */
  died(slot: number, death: Death): boolean
  /** Records that the pool is stopped. */
  stopped(): void
  /** Whether a worker of the slot ended before it was ready. */
  hasFailed(slot: number): boolean
}

/** First start of a pool with these slots. */
export function createPoolBoot(slots: () => readonly { number: number }[]): PoolBoot {
  const failed = new Set<number>()
  let isUp = false
  let settle: (result: BootResult) => void
  const settled = new Promise<BootResult>(resolve => {
    settle = resolve
  })
  return {
    settled,
    readied() {
      isUp = true
      settle({ ok: true })
    },
    died(slot, death) {
      if (!death.wasReady) failed.add(slot)
      if (isUp || !slots().every(({ number }) => failed.has(number))) return false
      settle({ ok: false, death })
      return true
    },
    stopped: () => settle({ ok: false, death: undefined }),
    hasFailed: slot => failed.has(slot),
  }
}
