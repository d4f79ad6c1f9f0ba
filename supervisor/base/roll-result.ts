import { stoppingReason } from './stopping.ts'

/** Result of replacing workers. `isUnknown`: there are none of this name. */
export type RollResult = { ok: true } | { ok: false; reason: string; lastLines: string[]; isUnknown?: true }

/** Result of a roll that a stop aborts. */
export const stopping: RollResult = { ok: false, reason: stoppingReason, lastLines: [] }
