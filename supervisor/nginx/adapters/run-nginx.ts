import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { asOperatorError, errnoOf, messageOf, OperatorError } from '../../base/errors.ts'
import { inheritedSockets } from '../inherited-sockets.ts'

/** Directories that are searched for nginx. */
export const nginxDirectories = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']

/**
 * Environment of nginx. With these thresholds, in bytes, glibc keeps what one block of the configuration has used for the next one, instead
 * of returning it to the kernel each time: nginx reads the configuration in two thirds of the time.
 */
export const nginxEnvironment = {
  PATH: nginxDirectories.join(':'),
  MALLOC_TRIM_THRESHOLD_: '4194304',
  MALLOC_MMAP_THRESHOLD_: '1048576',
}

/** Result of a finished nginx. */
export interface Ended {
  /** Exit code; undefined if a signal ended it. */
  code: number | undefined
  stderr: string
}

/** Options of `runNginx`. */
export interface NginxRun {
  /** Descriptors of bound sockets to inherit. */
  sockets?: readonly number[]
  /** File for its stdout; default: the supervisor's own stdout. */
  stdout?: string
  /** Kills it when aborted. */
  signal?: AbortSignal | undefined
}

/**
 * Runs nginx to completion (`-T`, `-V`) and reads its stderr. Its stdout is a real file or the supervisor's, because nginx opens its access
 * log there, which fails with a socket. Not with execa, because it runs at every start: docs/decisions/010. Rejects with an
 * OperatorError if nginx cannot be started.
 */
export function runNginx(args: readonly string[], run: NginxRun = {}): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = start(args, run)
    const chunks: Buffer[] = []
    child.stderr?.on('data', (chunk: Buffer) => chunks.push(chunk))
    child.on('error', error => {
      // after a successful start, 'close' follows
      if (child.pid === undefined) reject(refusal(error))
    })
    child.once('close', code => resolve({ code: code ?? undefined, stderr: Buffer.concat(chunks).toString() }))
  })
}

function start(args: readonly string[], { sockets = [], stdout, signal }: NginxRun): ChildProcess {
  const output = stdout === undefined ? undefined : openSync(stdout, 'w', 0o600)
  try {
    return spawn('nginx', args, {
      stdio: ['ignore', output ?? 'inherit', 'pipe', ...sockets],
      ...(signal ? { signal, killSignal: 'SIGKILL' } : {}),
      env: { ...nginxEnvironment, ...(sockets.length > 0 ? { NGINX: inheritedSockets(sockets) } : {}) },
    })
  } finally {
    if (output !== undefined) closeSync(output)
  }
}

function refusal(error: Error): unknown {
  if (errnoOf(error) !== 'ENOENT') return asOperatorError(error, 'run nginx')
  return new OperatorError(`cannot run nginx: ${messageOf(error)}`, {
    fix: 'install it: apt-get install nginx libnginx-mod-http-lua',
  })
}
