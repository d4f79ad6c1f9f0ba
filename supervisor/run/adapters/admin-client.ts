import { requestSocket } from '../../base/adapters/unix-http.ts'
import { errnoOf, exitCode, messageOf, OperatorError } from '../../base/errors.ts'
import { findRunning, readInstance } from './instance.ts'

export interface AdminResponse {
  status: number
  body: unknown
}

/** What is only looked at is there at once, unless the supervisor stands still. */
const lookMs = 10_000

/**
 * Asks the monohull whose admin socket this is. What it is to do may take as long as it takes. An OperatorError when none
 * answers.
 */
export async function askAdmin(socketPath: string, method: 'GET' | 'POST', path: string): Promise<AdminResponse> {
  const { status, body } = await exchange(socketPath, method, path)
  try {
    return { status, body: JSON.parse(body) }
  } catch (error) {
    throw explain(socketPath, error)
  }
}

/** Reads a text of the monohull whose admin socket this is. An OperatorError when none answers. */
export async function readAdmin(socketPath: string, path: string): Promise<string> {
  return (await exchange(socketPath, 'GET', path)).body
}

async function exchange(socketPath: string, method: 'GET' | 'POST', path: string) {
  try {
    return await requestSocket(socketPath, { method, path, timeoutMs: method === 'GET' ? lookMs : undefined })
  } catch (error) {
    throw explain(socketPath, error)
  }
}

function explain(socketPath: string, error: unknown): OperatorError {
  const folder = socketPath.slice(0, socketPath.lastIndexOf('/'))
  const errno = errnoOf(error)
  if (errno === 'ENOENT' || errno === 'ECONNREFUSED') {
    const running = findRunning(folder)
    if (running !== undefined) return explainUnreachable(folder, running)
    return new OperatorError(`no monohull runs in ${folder}`, {
      fix: 'start one with monohull run, or name its folder with MONOHULL_RUN_DIR',
      code: exitCode.unavailable,
    })
  }
  if (errno === 'EACCES') {
    return new OperatorError(`user ${process.getuid?.()} may not command the monohull in ${folder}`, {
      fix: 'be the user that it was started as',
      code: exitCode.noPermission,
    })
  }
  return new OperatorError(`the monohull in ${folder} did not answer: ${messageOf(error)}`, {
    fix: 'its log says why, unless its process is stopped or gets no CPU',
    code: exitCode.unavailable,
  })
}

/** It runs, and its socket is not there: not yet, or not any more. */
function explainUnreachable(folder: string, pid: number): OperatorError {
  const code = exitCode.unavailable
  if (!readInstance(folder)?.isServing) {
    return new OperatorError(`the monohull in ${folder} (pid ${pid}) takes no commands yet: it is still starting`, {
      fix: `ask again when its log says serving, or stop it with kill ${pid}`,
      code,
    })
  }
  return new OperatorError(`the monohull in ${folder} (pid ${pid}) cannot be asked: its files there were removed`, {
    fix: `restart it (kill ${pid} stops it), and keep cleaners of temporary files away from the folder`,
    code,
  })
}
