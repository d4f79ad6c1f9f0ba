import { type RollResult, stopping } from './roll-result.ts'

/**
 * One subject's step of a reload. Creating it changes nothing that runs. `Model` is the input for nginx's configuration.
 */
export interface Change<Model = never> {
  /** Its part of the model: before `apply` as planned, afterwards as it is. Without it, the change does not affect the model. */
  model?(): Partial<Model>
  /**
   * Starts the new version beside the old one, where no request reaches it, and waits until it has proved itself. If it fails, nothing
   * has changed. After a success, `apply` or `revert` follows.
   */
  try?(): Promise<RollResult>
  /** Replaces processes. If it fails, nothing has changed, and its trial is over. */
  apply?(): Promise<RollResult>
  /** Undoes `try` and `apply`, and releases what the change prepared. */
  revert?(): Promise<unknown> | unknown
  /**
   * Puts the prepared state into effect, synchronously, so that no one sees subjects of two generations together. The promise settles
   * when the replaced state has ended.
   */
  commit?(): Promise<unknown> | unknown
}

/** Part of a change that concerns processes. */
type Step = Pick<Change, 'try' | 'apply' | 'revert'>

/** Tries all changes side by side, then applies them in order. If one fails or throws, the other changes that began are reverted. */
export async function applyAll(changes: readonly Step[]): Promise<RollResult> {
  const tried = await tryAll(changes)
  return tried.ok ? applyTried(changes) : tried
}

/** Tries the changes side by side. If one fails or throws, those whose trials succeeded are reverted when all are over. */
async function tryAll(changes: readonly Step[]): Promise<RollResult> {
  const results = changes.map(change => change.try?.())
  const outcomes = await Promise.allSettled(results)
  const succeeded = changes.filter((_, index) => isSuccess(outcomes[index]))
  if (succeeded.length === changes.length) return { ok: true }
  await revertAll(succeeded)
  return (await Promise.all(results)).find(result => result?.ok === false) ?? { ok: true }
}

function isSuccess(outcome: PromiseSettledResult<RollResult | undefined> | undefined): boolean {
  return outcome?.status === 'fulfilled' && outcome.value?.ok !== false
}

/** Applies changes whose trials succeeded, in order. If one fails or throws, the changes before it and the trials after it are reverted. */
async function applyTried(changes: readonly Step[]): Promise<RollResult> {
  let applied = 0
  try {
    for (const change of changes) {
      const result = (await change.apply?.()) ?? { ok: true }
      if (!result.ok) return result
      applied++
    }
    return { ok: true }
  } finally {
    if (applied < changes.length)
      await revertAll([...changes.slice(0, applied), ...changes.slice(applied + 1).filter(change => change.try)])
  }
}

/** Throws if a change of `name`, an app, could not be reverted, unless monohull is stopping. */
export function expectReverted(name: string, result: RollResult): void {
  if (!result.ok && result !== stopping) throw new Error(`${name} could not be reverted: ${result.reason}`)
}

/** Reverts all changes, the last first, even if some fail. Then rethrows the first failure. */
export async function revertAll(changes: readonly Pick<Step, 'revert'>[]): Promise<void> {
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

/** Several steps as one, which are reverted only if all of them were tried. */
export function inOrder(steps: readonly Step[]) {
  let state: 'planned' | 'tried' | 'applied' = 'planned'
  return {
    isApplied: () => state === 'applied',
    async try(): Promise<RollResult> {
      const result = await tryAll(steps)
      if (result.ok) state = 'tried'
      return result
    },
    async apply(): Promise<RollResult> {
      state = 'planned'
      const result = await applyTried(steps)
      if (result.ok) state = 'applied'
      return result
    },
    async revert(): Promise<void> {
      if (state !== 'planned') await revertAll(steps)
      state = 'planned'
    },
  }
}
