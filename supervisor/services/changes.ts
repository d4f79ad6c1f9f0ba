import type { RollResult } from './roll-result.ts'

/** A step of a reload that can be taken back. */
export interface Change {
  /** When it fails, all is as it was. */
  apply(): Promise<RollResult>
  revert(): Promise<unknown>
}

/** One change after the other. When one fails, those before it are taken back. */
export async function applyAll(changes: readonly Change[]): Promise<RollResult> {
  for (const [index, change] of changes.entries()) {
    const result = await change.apply()
    if (result.ok) continue
    await revertAll(changes.slice(0, index))
    return result
  }
  return { ok: true }
}

/** Takes back what was applied, the last first. */
export async function revertAll(changes: readonly Change[]): Promise<void> {
  for (const change of [...changes].reverse()) await change.revert()
}
