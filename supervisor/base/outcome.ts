/**
 * Result of a finished command. `reason` may have several lines. `lastLines` is the last output of a failed program. `isUnknown`: it names
 * something that does not exist.
 */
export type Outcome =
  | { ok: true; message: string }
  | { ok: false; message: string; reason: string; lastLines?: readonly string[]; isUnknown?: true }
