import { stoppingReason } from './stopping.ts'

/** What came of replacing workers. */
export type RollResult = { ok: true } | { ok: false; reason: string; lastLines: string[] }

/** What a roll ends with that a stop cuts short. */
export const stopping: RollResult = { ok: false, reason: stoppingReason, lastLines: [] }
