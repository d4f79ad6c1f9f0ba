/** Exit codes of the monohull command, from sysexits.h where it defines one. */
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
 * Error that the operator can fix. `message` says what failed and why ("cannot <verb> <object>: <reason>"), `fix` what to do about it,
 * and `code` is the exit code of the process if nothing handles the error.
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

/** Message of any thrown value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Errno name of an I/O error, such as `ENOENT`; undefined for other errors. */
export function errnoOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

const ioFixes: Record<string, string> = {
  ENOSPC: 'free space there, or set another directory',
  EROFS: 'mount it writable, or set another directory (docker: --tmpfs /run)',
  EACCES: 'give the user that monohull runs as write access there',
  EMFILE: 'raise the limit of open files (docker: --ulimit nofile)',
  EAGAIN: 'raise the limit of processes (docker: --pids-limit)',
  ENOMEM: 'raise the memory limit, or run fewer workers',
}

/** The same for paths that somebody named. */
const pathFixes: Record<string, string> = {
  ENOENT: 'correct the path, or create it',
  ENOTDIR: 'correct the path: a part of it is not a directory',
  EISDIR: 'name a file, not a directory',
  ELOOP: 'correct the path: its links lead in a circle',
  ENAMETOOLONG: 'use a shorter path',
  EPERM: 'give the user that monohull runs as permission for it',
}

/** What to do about an errno (`ENOSPC`), where that is known. */
export function errnoFix(errno: string): string | undefined {
  return ioFixes[errno]
}

/** Message of a thrown value, with its fix if that is known; for a reason inside another message. */
export function reasonOf(error: unknown): string {
  const fix = error instanceof OperatorError ? error.fix : errnoFix(errnoOf(error) ?? '')
  return fix === undefined ? messageOf(error) : `${messageOf(error)}; ${fix}`
}

const unknownFix = 'run monohull doctor, which checks this machine'

/** System I/O error as an OperatorError; any other value unchanged. `doing` is the failed action, such as `write FILE`. */
export function asOperatorError(error: unknown, doing?: string): unknown {
  const errno = errnoOf(error)
  if (error instanceof OperatorError || errno === undefined || !/^E[A-Z0-9]+$/.test(errno)) return error
  const message = doing === undefined ? messageOf(error) : `cannot ${doing}: ${messageOf(error)}`
  return new OperatorError(message, { fix: errnoFix(errno) ?? pathFixes[errno] ?? unknownFix, cause: error })
}
