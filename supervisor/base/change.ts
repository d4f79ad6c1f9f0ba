import { type RollResult, stopping } from './roll-result.ts'

/**
 * One subject's step of a reload. Creating it changes nothing that runs. `Model` is the input for nginx's configuration.
 */
export interface Change<Model = never> {
  /** Its part of the model: before `apply` as planned, afterwards as it is. Without it, the change does not affect the model. */
  model?(): Partial<Model>
  /** Replaces processes. If it fails, nothing has changed. */
  apply?(): Promise<RollResult>
  /** Undoes `apply` and releases what the change prepared. */
  revert?(): Promise<unknown> | unknown
  /**
   * Puts the prepared state into effect, synchronously, so that no one sees subjects of two generations together. The promise settles
   * when the replaced state has ended.
   */
  commit?(): Promise<unknown> | unknown
}

/** Applies the changes in order. If one fails or throws, the changes before it are reverted. */
export async function applyAll(changes: readonly Pick<Change, 'apply' | 'revert'>[]): Promise<RollResult> {
  let applied = 0
  try {
    for (const change of changes) {
      const result = (await change.apply?.()) ?? { ok: true }
      if (!result.ok) return result
      applied++
    }
    return { ok: true }
  } finally {
    if (applied < changes.length) await revertAll(changes.slice(0, applied))
  }
}

/** Throws if a change of `name`, an app, could not be reverted, unless monohull is stopping. */
export function expectReverted(name: string, result: RollResult): void {
  if (!result.ok && result !== stopping) throw new Error(`${name} could not be reverted: ${result.reason}`)
}

/** Reverts all changes, the last first, even if some fail. Then rethrows the first failure. */
export async function revertAll(changes: readonly Pick<Change, 'revert'>[]): Promise<void> {
  const failures: unknown[] = []
  for (const change of [...changes].reverse()) {
    try {
      await change.revert?.()
    } catch (error) {
      failures.push(error)
    }
  }
  if (failures.length > 0) throw failures[0]
}

/** Several steps as one, which are reverted only if all of them were applied. */
export function inOrder(steps: readonly Pick<Change, 'apply' | 'revert'>[]) {
  let isApplied = false
  return {
    isApplied: () => isApplied,
    async apply(): Promise<RollResult> {
      const result = await applyAll(steps)
      isApplied = result.ok
      return result
    },
    async revert(): Promise<void> {
      if (isApplied) await revertAll(steps)
      isApplied = false
    },
  }
}
