/** Exit codes of the monohull command (sysexits.h where it has one). */
export const exitCode = {
  ok: 0,
  failed: 1,
  usage: 64,
  unavailable: 69,
  software: 70,
  noPermission: 77,
  config: 78,
} as const

/**
 * Something is wrong that the operator can mend. `message` says what and where ("cannot <verb> <object>: <reason>"),
 * `fix` says what to do about it, and `code` is the process exit code it leads to when nobody handles it.
 */
export class OperatorError extends Error {
  readonly fix: string
  readonly code: number

  constructor(message: string, options: { fix: string; code?: number; cause?: unknown }) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'OperatorError'
    this.fix = options.fix
    this.code = options.code ?? exitCode.config
  }
}

/** The human part of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** The errno name (`ENOENT`) of an I/O error, or undefined. */
export function errnoOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

const ioFixes: Record<string, string> = {
  ENOSPC: 'free space there, or name another folder',
  EROFS: 'mount it writable, or name another folder (docker: --tmpfs /run)',
  EACCES: 'let the user that monohull runs as write there',
  EMFILE: 'raise the limit of open files (docker: --ulimit nofile)',
}

/** `messageOf`, with what to do about it where that is known: for a reason that stands beside others. */
export function reasonOf(error: unknown): string {
  const fix = error instanceof OperatorError ? error.fix : ioFixes[errnoOf(error) ?? '']
  return fix === undefined ? messageOf(error) : `${messageOf(error)}; ${fix}`
}

/** An I/O error of the system as something the operator can mend; anything else as it is. `doing`: what failed, as in `write FILE`. */
export function asOperatorError(error: unknown, doing?: string): unknown {
  const errno = errnoOf(error)
  if (error instanceof OperatorError || errno === undefined || !/^E[A-Z0-9]+$/.test(errno)) return error
  const message = doing === undefined ? messageOf(error) : `cannot ${doing}: ${messageOf(error)}`
  return new OperatorError(message, { fix: ioFixes[errno] ?? 'see the message', cause: error })
}
