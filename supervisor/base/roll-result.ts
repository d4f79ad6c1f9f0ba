import { stoppingReason } from './stopping.ts'

/** Result of replacing workers. */
export type RollResult = { ok: true } | { ok: false; reason: string; lastLines: string[] }

/** Result of a roll that a stop aborts. */
export const stopping: RollResult = { ok: false, reason: stoppingReason, lastLines: [] }
