import {
  type ChildProcess,
  type SpawnOptions,
  type StdioOptions,
  spawn as spawnProcess,
  spawnSync,
} from 'node:child_process'
import { existsSync } from 'node:fs'
import { constants } from 'node:os'
import type { Readable } from 'node:stream'
import { errnoFix, errnoOf, OperatorError } from '../../base/errors.ts'
import type { LogFormat } from '../../base/log.ts'
import { revealed } from '../../base/secret.ts'
import { type LineRelay, relayLines } from '../../logs/adapters/line-relay.ts'
import type { Output } from '../../logs/adapters/output.ts'
import type { Child, Spawn, SpawnSpec } from '../child.ts'
import type { Exit } from '../exit.ts'
import { describeLimit } from './limits.ts'
import { isGroupAlive } from './procfs.ts'

/** Time to wait for the output of a dead process while another process still holds the pipe. */
const outputGraceMs = 200
const maxLastLines = 20

/** Dependencies of `createSpawn`. */
export interface SpawnDeps {
  stdout: Output
  stderr: Output
  format: LogFormat
  now: () => number
  /** Umask for the user's programs. */
  umask: number
  /** Called when a child has started and when it has exited. */
  onChange: (change: { type: 'started' | 'ended'; name: string; pid: number }) => void
}

/** Spawner that puts each child into a process group of its own, so that a signal reaches a worker and all its children. */
export function createSpawn(deps: SpawnDeps): Spawn {
  const umask = deps.umask === process.umask() ? undefined : deps.umask
  return spec => {
    const [file = '', ...args] = launchArgv(spec, umask)
    const relay = spec.output === 'relay'
    const subprocess = startProcess(spec, file, args, {
      cwd: spec.directory,
      env: Object.fromEntries(Object.entries(spec.env).map(([name, value]) => [name, revealed(value)])),
      ...(spec.uid === undefined ? {} : { uid: spec.uid }),
      ...(spec.gid === undefined ? {} : { gid: spec.gid }),
      stdio: stdioOf(spec),
      detached: true,
    })
    subprocess.on('error', () => {}) // the missing pid shows it
    const { pid } = subprocess
    if (pid === undefined) {
      throw startError(spec)
    }
    const relays = relay
      ? [
          startRelay(deps, spec, pid, 'stdout', subprocess.stdout),
          startRelay(deps, spec, pid, 'stderr', subprocess.stderr),
        ]
      : []
    deps.onChange({ type: 'started', name: spec.name, pid })
    const exited = new Promise<Exit>(resolve => {
      subprocess.once('exit', (code, signal) => {
        deps.onChange({ type: 'ended', name: spec.name, pid })
        resolve(toExit(code, signal))
      })
    })
    const notify = spec.notify ? (subprocess.stdio[3 + spec.inherit.length] as Readable) : undefined
    return toChild(pid, { exited, relays, notify })
  }
}

/** Starts a process. What Node refuses to pass on is not part of the error: it may be a secret. */
function startProcess(
  { name }: SpawnSpec,
  ...[file, args, options]: [string, readonly string[], SpawnOptions]
): ChildProcess {
  try {
    return spawnProcess(file, args, options)
  } catch (error) {
    if (errnoOf(error) !== 'ERR_INVALID_ARG_VALUE') throw error
    throw new OperatorError(`cannot start ${name}: its command, directory or environment contains a NUL character`, {
      fix: 'remove it',
    })
  }
}

/** Error for a failed start. The system reports the reason only later, so a program that does nothing is tried at once. */
function startError({ name, argv, directory, uid, gid }: SpawnSpec): OperatorError {
  if (!existsSync(directory))
    return new OperatorError(`cannot start ${name} (${argv[0]}): its directory ${directory} does not exist`, {
      fix: 'restore it, or restart monohull with another directory',
    })
  const stdio = Array.from({ length: 4 }, () => 'pipe' as const)
  const errno = errnoOf(spawnSync('/bin/sh', ['-c', ':'], { cwd: directory, uid, gid, stdio }).error)
  const limit = errno === undefined ? undefined : describeLimit(errno)
  const reason = errno === undefined ? '' : `: ${errno}${limit === undefined ? '' : ` (${limit})`}`
  const limitFix = errno === 'EMFILE' || errno === 'EAGAIN' ? errnoFix(errno) : undefined
  return new OperatorError(`cannot start ${name} (${argv[0]}) in ${directory}${reason}`, {
    fix:
      limitFix ??
      'check that the program exists, that the user may execute it and enter the directory, and the limits of open files (ulimit -n) and processes',
  })
}

/** Command to start. A shell precedes it if something must be set up in the process itself; exec keeps the pid. */
function launchArgv({ argv, env, output }: SpawnSpec, umask: number | undefined): readonly string[] {
  const before = [
    // nginx writes to the log before it ignores SIGPIPE: without a reader it would not start
    ...(output === 'direct' ? ['trap "" PIPE;'] : []),
    ...(output === 'relay' && umask !== undefined ? [`umask ${umask.toString(8)};`] : []),
    // only a shell in the process itself knows its pid (sd_listen_fds(3))
    ...(env.LISTEN_FDS === undefined ? [] : ['LISTEN_PID=$$']),
  ]
  return before.length === 0 ? argv : ['/bin/sh', '-c', `${before.join(' ')} exec "$@"`, 'sh', ...argv]
}

function stdioOf(spec: SpawnSpec): StdioOptions {
  const output = spec.output === 'relay' ? 'pipe' : 'inherit'
  return ['ignore', output, output, ...spec.inherit, ...(spec.notify ? (['pipe'] as const) : [])]
}

function startRelay(
  deps: SpawnDeps,
  spec: SpawnSpec,
  pid: number,
  streamName: 'stdout' | 'stderr',
  stream: Readable | null,
): LineRelay {
  if (!stream) throw new Error(`cannot relay ${streamName} of ${spec.name}: it has no pipe`)
  return relayLines({
    stream,
    output: deps[streamName],
    format: deps.format,
    source: spec.name,
    pid,
    streamName,
    now: deps.now,
  })
}

function toChild(
  pid: number,
  parts: { exited: Promise<Exit>; relays: LineRelay[]; notify: Readable | undefined },
): Child {
  let isGone = false
  void parts.exited.then(() => {
    isGone = true
  })
  return {
    pid,
    exited: parts.exited,
    signal: signal => !isGone && send(pid, signal),
    signalGroup: signal => send(-pid, signal),
    groupAlive: () => isGroupAlive(pid),
    lastLines: () =>
      parts.relays
        .flatMap(relay => relay.tail().toString().split('\n'))
        .filter(line => line.trim() !== '')
        .slice(-maxLastLines),
    async outputEnded() {
      let timer: NodeJS.Timeout | undefined
      const grace = new Promise<void>(resolve => {
        timer = setTimeout(resolve, outputGraceMs)
      })
      await Promise.race([Promise.all(parts.relays.map(relay => relay.ended)), grace])
      clearTimeout(timer)
    },
    onNotify(callback) {
      let text = ''
      parts.notify?.on('error', () => {}) // a reset pipe: the process is ending
      parts.notify?.on('data', (chunk: Buffer) => {
        const lines = (text + chunk.toString()).split('\n')
        text = (lines.pop() ?? '').slice(-1024)
        for (const line of lines) {
          const equals = line.indexOf('=')
          if (equals > 0) callback(line.slice(0, equals), line.slice(equals + 1))
        }
      })
    },
  }
}

function send(target: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(target, signal)
  } catch {
    return false // gone already
  }
}

function toExit(code: number | null, signal: NodeJS.Signals | null): Exit {
  if (signal !== null) return { kind: 'signal', signal, number: constants.signals[signal] ?? 0 }
  return { kind: 'code', code: code ?? 0 }
}
