import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import type { TestContext } from 'node:test'
import { build } from 'rolldown'
import { createSlotSockets } from '../../../supervisor/processes/adapters/listeners.ts'

const home = join(import.meta.dirname, '../../..')
const deadlineMs = 20_000

/** Writes the preload as the build makes it. */
export async function buildPreload(file: string): Promise<void> {
  await build({
    cwd: home,
    input: 'supervisor/workers/preload.ts',
    platform: 'node',
    logLevel: 'warn',
    transform: { target: 'node18' },
    output: { format: 'cjs', file, codeSplitting: false },
  })
}

/** A worker without a supervisor: the socket, the notify pipe and the variables are those of the contract. */
export interface PreloadedWorker {
  child: ChildProcess
  folder: string
  /** Path of the worker's socket. */
  socket: string
  output(): string
  notified(): string[]
  /** Settles when the probe gives something. */
  until<T>(what: string, probe: () => T | undefined | false): Promise<T>
  ready(): Promise<void>
  /** Body of the response at the worker's socket. */
  ask(path?: string): Promise<string>
  exited: Promise<number | string>
}

export interface PreloadedOptions {
  preload: string
  node?: string
  args: string[]
  files?: Record<string, string>
  /** Symbolic links: path and target. */
  links?: Record<string, string>
  env?: Record<string, string>
}

export function startPreloaded(t: TestContext, options: PreloadedOptions): PreloadedWorker {
  const folder = mkdtempSync(join(tmpdir(), 'monohull-worker-'))
  for (const [name, text] of Object.entries(options.files ?? {})) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text, { mode: 0o755 })
  }
  for (const [name, target] of Object.entries(options.links ?? {})) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    symlinkSync(target, join(folder, name))
  }
  const path = join(folder, 'worker.sock')
  const socket = createSlotSockets({ uid: undefined, gid: undefined }).bind(path)
  const node = options.node ?? process.execPath
  const { NODE_OPTIONS: _, PORT: __, ...inherited } = process.env
  const child = spawn(node, options.args, {
    cwd: folder,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', socket.descriptor, 'pipe'],
    env: {
      ...inherited,
      PATH: `${dirname(node)}:${process.env.PATH}`,
      LISTEN_FDS: '1',
      MONOHULL_SOCKET_INODE: String(socket.inode),
      MONOHULL_NOTIFY_FD: '4',
      NODE_OPTIONS: `--require ${options.preload}`,
      ...options.env,
    },
  })
  let [output, notified] = ['', '']
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (output += chunk))
  const pipe = child.stdio[4] as Readable
  pipe.on('data', (chunk: Buffer) => (notified += chunk))
  pipe.on('error', () => {})
  const exited = new Promise<number | string>(resolve => {
    child.once('exit', (code, signal) => resolve(code ?? signal ?? ''))
  })
  t.after(async () => {
    try {
      process.kill(-(child.pid ?? 0), 'SIGKILL')
    } catch {
      // it has ended
    }
    await exited
    socket.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const lines = () => notified.split('\n').filter(line => line !== '')
  const until: PreloadedWorker['until'] = async (what, probe) => {
    for (const deadline = Date.now() + deadlineMs; ; ) {
      const found = probe()
      if (found !== undefined && found !== false) return found
      if (Date.now() > deadline || child.exitCode)
        throw new Error(`waited in vain for ${what}\n${output}\n${lines().join(', ')}`)
      await new Promise(resolve => setTimeout(resolve, 10))
    }
  }
  return {
    child,
    folder,
    socket: path,
    output: () => output,
    notified: lines,
    until,
    exited,
    ready: () => until('READY=1', () => lines().includes('READY=1')).then(() => {}),
    ask: (target = '/') =>
      new Promise((resolve, reject) => {
        const request = http.get({ socketPath: path, path: target, agent: false, timeout: deadlineMs }, response => {
          let body = ''
          response.on('data', chunk => (body += chunk))
          response.on('end', () => resolve(body))
        })
        request.on('timeout', () => request.destroy(new Error(`no response within ${deadlineMs} ms\n${output}`)))
        request.on('error', reject)
      }),
  }
}
