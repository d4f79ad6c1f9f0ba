import type { Outcome } from '../base/outcome.ts'
import type { RouteCommand } from '../dynamic-routes/open.ts'

/** Command to a running monohull, from a signal, the admin API or monohull itself. */
export type Command =
  /** `allowsMissing` permits that files of the configuration are missing or cut off. */
  | { type: 'reload'; allowsMissing?: boolean }
  /** Replaces everything, or `target`: all workers of an app (`api`), or one (`api.2`). */
  | { type: 'restart'; target?: string }
  /** `app` is required if several apps have workers. */
  | { type: 'scale'; workers: number; app?: string }
  /** Applies to the app that serves `/`. */
  | { type: 'scaleBy'; change: 1 | -1 }
  /** Removes from nginx's cache everything, or the paths that begin with `prefix`. */
  | { type: 'purgeCache'; prefix?: string }
  /** Changes the routes of hosts that the configuration does not name. */
  | RouteCommand
  /** Serves the current certificate files. */
  | { type: 'refreshCertificates' }
  | { type: 'reopenLogs' }
  | { type: 'stop' }
  | { type: 'quickStop' }

/** Sends a command to the queue; `from` is its origin for the log. Settles when the command is done. */
export type SendCommand = (command: Command, from: string) => Promise<Outcome>

/** Hooks that a command of the queue waits for, so that another command would wait for itself. */
const awaitedHooks = new Set(['before_start', 'before_reload', 'after_reload', 'before_stop'])
/** Commands that start or end workers, and so run the hooks `worker_ready` and `worker_exit` again. */
const workerCommands = new Set<Command['type']>(['reload', 'restart', 'scale', 'scaleBy'])

/** Reason why a command from within a hook is not run; undefined if it may run. */
export function refusalInHook({ type }: Command, hook: string): string | undefined {
  if (type === 'stop' || type === 'quickStop')
    return hook === 'before_stop' ? 'the hook before_stop is part of the stop' : undefined
  if (awaitedHooks.has(hook)) return `the hook ${hook} would wait for a command that waits for the hook`
  return workerCommands.has(type) ? `it would run the hook ${hook} again, without end` : undefined
}
