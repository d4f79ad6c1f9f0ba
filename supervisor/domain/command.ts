/** What monohull can be told, by a signal, by the admin API or by any other way in. */
export type Command =
  | { type: 'reload' }
  /** Replaces every worker, or the one named. */
  | { type: 'restart'; worker?: string }
  | { type: 'scale'; workers: number }
  | { type: 'scaleBy'; change: 1 | -1 }
  | { type: 'reopenLogs' }
  | { type: 'stop' }
  | { type: 'quickStop' }

/** What came of a command, told when it is done. `reason` may have several lines. */
export type Outcome = { ok: true; message: string } | { ok: false; message: string; reason: string }
