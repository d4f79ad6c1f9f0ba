import { statSync } from 'node:fs'
import { dirname } from 'node:path'
import { followSocket, requestSocket } from '../../base/adapters/unix-http.ts'
import { errnoOf, exitCode, messageOf, OperatorError } from '../../base/errors.ts'
import { readActivity } from '../../processes/adapters/procfs.ts'
import { findRunning, readInstance } from './instance.ts'
import { hasListener, runningDirs } from './instance-search.ts'

/** Response of the admin API, parsed. */
export interface AdminResponse {
  status: number
  body: unknown
}

/** Timeout of a GET: it responds immediately unless the supervisor is frozen. */
const getTimeoutMs = 10_000

/** Header with the name of the hook that a command comes from. */
export const hookHeader = 'monohull-hook'

/** Request to the admin API. A POST has no timeout. */
export interface AdminRequest {
  method: 'GET' | 'POST'
  path: string
  /** Hook that it comes from. */
  hook?: string | undefined
  body?: string
  /** Timeout of a GET. */
  timeoutMs?: number
}

/** Sends a request to an admin socket. Throws an OperatorError if there is no response. */
export async function askAdmin(socketPath: string, asked: AdminRequest): Promise<AdminResponse> {
  const { status, body } = await exchange(socketPath, asked)
  try {
    return { status, body: JSON.parse(body) }
  } catch (error) {
    throw explain(socketPath, error)
  }
}

/** Reads a text from an admin socket. Throws an OperatorError if there is no response. */
export async function readAdmin(socketPath: string, path: string): Promise<string> {
  return (await exchange(socketPath, { method: 'GET', path })).body
}

/** Follows lines of JSON from an admin socket until the instance ends. Throws an OperatorError if there is no response. */
export async function followAdmin(
  socketPath: string,
  path: string,
  onItem: (item: unknown) => void,
): Promise<AdminResponse | undefined> {
  expectTrustedSocket(socketPath)
  try {
    const refused = await followSocket(socketPath, path, line => onItem(JSON.parse(line)))
    return refused && { status: refused.status, body: JSON.parse(refused.body) }
  } catch (error) {
    throw explain(socketPath, error)
  }
}

async function exchange(socketPath: string, { hook, timeoutMs = getTimeoutMs, ...asked }: AdminRequest) {
  expectTrustedSocket(socketPath)
  const headers = hook === undefined ? {} : { [hookHeader]: hook }
  try {
    return await requestSocket(socketPath, {
      ...asked,
      headers,
      timeoutMs: asked.method === 'GET' ? timeoutMs : undefined,
    })
  } catch (error) {
    throw explain(socketPath, error)
  }
}

/** Throws an OperatorError for a socket that another unprivileged user may have put there. Root may control the instances of others. */
export function expectTrustedSocket(socketPath: string): void {
  const user = process.geteuid?.() ?? 0
  const owner = ownerOf(socketPath)
  if (user !== 0 && owner !== 0 && owner !== user) throw mayNotControl(socketPath)
}

/** Root for a path that does not exist or cannot be reached: connecting to it reports why. */
function ownerOf(path: string): number {
  try {
    return statSync(path).uid
  } catch {
    return 0
  }
}

function mayNotControl(socketPath: string): OperatorError {
  return new OperatorError(`user ${process.getuid?.()} may not control the monohull in ${dirname(socketPath)}`, {
    fix: 'run the command as the user that started it',
    code: exitCode.noPermission,
  })
}

/** Error for a request that failed, with what to do about it. */
export function explain(socketPath: string, error: unknown): OperatorError {
  const runDir = dirname(socketPath)
  const errno = errnoOf(error)
  const running = findRunning(runDir)
  if (errno === 'ENOENT' || errno === 'ECONNREFUSED') {
    if (running !== undefined) return explainUnreachable(runDir, running)
    if (hasListener(runDir)) return withoutFiles(runDir)
    const others = runningDirs()
    return new OperatorError(`no monohull is running in ${runDir}`, {
      fix:
        others.length === 0
          ? 'start one with monohull run, or set MONOHULL_RUN_DIR to its run directory'
          : `one runs in ${others.join(', another in ')}: name it with --run-dir`,
      code: exitCode.unavailable,
    })
  }
  if (errno === 'EACCES') return mayNotControl(socketPath)
  if (running !== undefined && readActivity(running)?.state === 'T')
    return new OperatorError(`the monohull in ${runDir} (pid ${running}) does not respond: its process is stopped`, {
      fix: `kill -CONT ${running} lets it go on; nginx and the workers serve meanwhile`,
      code: exitCode.unavailable,
    })
  return new OperatorError(`the monohull in ${runDir} did not respond: ${messageOf(error)}`, {
    fix: 'read its log; its process may also be stopped, or get no CPU time',
    code: exitCode.unavailable,
  })
}

/** Error for a running instance without a socket: it is not created yet, or it was removed. */
function explainUnreachable(runDir: string, pid: number): OperatorError {
  const code = exitCode.unavailable
  if (!readInstance(runDir)?.isServing) {
    return new OperatorError(`the monohull in ${runDir} (pid ${pid}) accepts no commands yet: it is still starting`, {
      fix: `try again when its log says serving, or stop it with kill ${pid}`,
      code,
    })
  }
  return withoutFiles(runDir, pid)
}

/** Error for an instance whose files in run_dir were removed. Its pid is unknown if its record is one of them. */
function withoutFiles(runDir: string, pid?: number): OperatorError {
  const [who, how] = pid === undefined ? ['', ''] : [` (pid ${pid})`, ` (kill ${pid} stops it)`]
  return new OperatorError(`the monohull in ${runDir}${who} is unreachable: its files there were removed`, {
    fix: `restart it${how}, and keep cleaners of temporary files away from the directory`,
    code: exitCode.unavailable,
  })
}
