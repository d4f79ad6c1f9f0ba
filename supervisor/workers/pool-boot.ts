import type { Death } from '../processes/death.ts'

export type BootResult = { ok: true } | { ok: false; death: Death }

/** How the first workers of a pool come up: well with the first that is ready, badly when that of every slot has failed. */
export interface PoolBoot {
  readonly settled: Promise<BootResult>
  /** A worker is ready. */
  readied(): void
  /** Notes the end of a slot's worker. Whether no slot is left to hope for. */
  died(slot: number, death: Death): boolean
  /** Whether a worker of the slot has ended before it was ready. */
  hasFailed(slot: number): boolean
}

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
    hasFailed: slot => failed.has(slot),
  }
}
