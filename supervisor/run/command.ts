import type { Outcome } from '../base/outcome.ts'

/** What monohull can be told, by a signal, by the admin API or by any other way in. */
export type Command =
  | { type: 'reload' }
  /** Replaces everything, or what `target` names: all workers of an app (`api`), or one (`api.2`). */
  | { type: 'restart'; target?: string }
  /** `app`: needed where several have workers. */
  | { type: 'scale'; workers: number; app?: string }
  /** Of the app that answers `/`. */
  | { type: 'scaleBy'; change: 1 | -1 }
  /** Of nginx's cache: everything, or what begins with `prefix`. */
  | { type: 'purgeCache'; prefix?: string }
  /** Has a host that the configuration does not name lead somewhere: to an app, an upstream or an address. */
  | { type: 'setRoute'; host: string; target: string }
  | { type: 'removeRoute'; host: string }
  /** Serves what the certificate files hold now. */
  | { type: 'refreshCertificates' }
  | { type: 'reopenLogs' }
  | { type: 'stop' }
  | { type: 'quickStop' }

/** The one way in for commands; `from` says who asks. Settles when the command is done. */
export type SendCommand = (command: Command, from: string) => Promise<Outcome>
