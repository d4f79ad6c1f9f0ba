/** What monohull can be told, by a signal or by any other way in. */
export type Command =
  | { type: 'reload' }
  | { type: 'roll' }
  | { type: 'reopenLogs' }
  | { type: 'stop' }
  | { type: 'quickStop' }
