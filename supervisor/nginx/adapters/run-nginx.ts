import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { inheritedSockets } from '../inherited-sockets.ts'

/** Where nginx is looked for. */
export const nginxDirectories = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']

export interface Ended {
  /** Undefined when it could not be started, or a signal ended it. */
  code: number | undefined
  stderr: string
}

export interface NginxRun {
  sockets?: readonly number[]
  /** A file for what it prints; default: the supervisor's own stdout. */
  stdout?: string
  /** Ends it. */
  signal?: AbortSignal | undefined
}

/**
 * Runs nginx to its end (`-T`, `-V`) and reads its stderr. Its stdout is a real one: there it opens its access log, which
 * it cannot do with a socket. It runs at every start, so it does without execa: docs/decisions/010.
 */
export function runNginx(args: readonly string[], { sockets = [], stdout, signal }: NginxRun = {}): Promise<Ended> {
  return new Promise(resolve => {
    const output = stdout === undefined ? undefined : openSync(stdout, 'w', 0o600)
    const child = spawn('nginx', args, {
      stdio: ['ignore', output ?? 'inherit', 'pipe', ...sockets],
      ...(signal ? { signal, killSignal: 'SIGKILL' } : {}),
      env: { PATH: nginxDirectories.join(':'), ...(sockets.length > 0 ? { NGINX: inheritedSockets(sockets) } : {}) },
    })
    if (output !== undefined) closeSync(output)
    const chunks: Buffer[] = []
    child.stderr?.on('data', (chunk: Buffer) => chunks.push(chunk))
    child.on('error', error => {
      // one that was started is waited for
      if (child.pid === undefined) resolve({ code: undefined, stderr: error.message })
    })
    child.once('close', code => resolve({ code: code ?? undefined, stderr: Buffer.concat(chunks).toString() }))
  })
}
