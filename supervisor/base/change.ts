import type { RollResult } from './roll-result.ts'

/**
 * One subject's step of a reload. Building it touches nothing that runs; `Model` is what nginx is told about.
 */
export interface Change<Model = never> {
  /** Its part of nginx's model: before `apply` as it is planned, then as it is. Undefined: as without the change. */
  model?(): Partial<Model>
  /** Replaces processes. When it fails, everything is as it was. */
  apply?(): Promise<RollResult>
  /** Takes back what was applied, and ends what was built. */
  revert?(): Promise<unknown> | unknown
  /**
   * Makes what was prepared the subject's own: synchronously, so that nobody sees one subject's next generation beside
   * another's last. The promise settles when what it replaces has ended.
   */
  commit?(): Promise<unknown> | unknown
}

/** Applies one change after the other. When one fails, those before it are reverted. */
export async function applyAll(changes: readonly Pick<Change, 'apply' | 'revert'>[]): Promise<RollResult> {
  for (const [index, change] of changes.entries()) {
    const result = (await change.apply?.()) ?? { ok: true }
    if (result.ok) continue
    await revertAll(changes.slice(0, index))
    return result
  }
  return { ok: true }
}

/** Reverts changes, the last first. One that fails keeps none of the others; the first failure is thrown in the end. */
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

/** Several steps as one. It reverts what it has applied, and nothing else. */
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
