/** Outcome of a command, known when it is done. `reason` may have several lines; `lastLines` is what a failed program printed. */
export type Outcome =
  | { ok: true; message: string }
  | { ok: false; message: string; reason: string; lastLines?: readonly string[] }
