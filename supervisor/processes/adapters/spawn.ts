import { type ChildProcess, spawn as spawnProcess, spawnSync } from 'node:child_process'
import { closeSync, existsSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { errnoFix, errnoOf, OperatorError } from '../../base/errors.ts'
import type { LogFormat } from '../../base/log.ts'
import { revealed } from '../../base/secret.ts'
import { createScratch, type LineRelay, relayLines, type Scratch } from '../../logs/adapters/line-relay.ts'
import type { Output } from '../../logs/adapters/output.ts'
import type { LogRing } from '../../logs/log-ring.ts'
import type { Child, ChildChange, Spawn, SpawnSpec } from '../child.ts'
import type { Exit } from '../exit.ts'
import { launchInput } from '../launch-fields.ts'
import { describeLimit } from './limits.ts'
import { createPipes, type Pipe } from './pipes.ts'
import { isGroupAlive } from './procfs.ts'
import { groupsOf } from './users.ts'

const perl = '/usr/bin/perl'
/** Program that sets up a child and becomes its program; the build copies it beside the bundle. */
const launcher = join(import.meta.dirname, 'launch.pl')

/** Time to wait for the output of a dead process while another process still holds the pipe. */
const outputGraceMs = 200
const maxLastLines = 20
/** In place of the last lines of a program that writes to the supervisor's own output. */
const unknownLines = 'see the log: with log_format: raw, they are not known here'

/** Dependencies of `createSpawn`. */
export interface SpawnDeps {
  stdout: Output
  stderr: Output
  format: LogFormat
  /** Whether programs write to the supervisor's own stdout and stderr. */
  hasOwnOutput?: boolean
  now: () => number
  /** Umask for the user's programs. */
  umask: number
  /** Their soft limit of open files; undefined: that of the supervisor. */
  openFiles?: number | undefined
  /** Directory for named pipes, which is emptied; without it, children cannot open /dev/stdout. */
  pipeDirectory?: string
  /** Receives what is relayed, for whoever reads the last lines later. */
  logs?: Pick<LogRing, 'append'>
  /** Called when a child has started and when it has exited. */
  onChange: (change: ChildChange) => void
}

/** Spawner that puts each child into a process group of its own, so that a signal reaches a worker and all its children. */
export function createSpawn(deps: SpawnDeps): Spawn {
  const scratch = createScratch()
  let isFirst = true
  const pipes = deps.pipeDirectory === undefined ? undefined : createPipes(deps.pipeDirectory)

  function openOutputs({ output, uid, gid, renderStderr }: SpawnSpec): ChildOutput[] {
    if (output === 'direct') return ['inherit', renderStderr ? undefined : 'inherit']
    const hasOwnOutput = deps.hasOwnOutput && output === 'relay'
    return hasOwnOutput ? ['inherit', 'inherit'] : [pipes?.open(uid, gid), pipes?.open(uid, gid)]
  }

  return spec => {
    const input = isOwn(spec) ? '' : inputOf(spec, { ...deps, enlargesOutput: isFirst })
    if (input === undefined || spec.directory.includes('\0')) throw nulError(spec)
    const outputs = openOutputs(spec)
    const subprocess = startProcess(spec, outputs)
    const { pid } = subprocess
    if (pid === undefined) throw startError(spec)
    if (!isOwn(spec)) isFirst = false
    subprocess.stdin?.on('error', () => {}) // it has ended already
    subprocess.stdin?.end(input)
    const relays = (['stdout', 'stderr'] as const).flatMap((name, index) => {
      const output = outputs[index]
      if (output === 'inherit') return []
      return startRelay({ ...deps, scratch }, spec, pid, name, output?.reader ?? subprocess[name])
    })
    deps.onChange({ type: 'started', name: spec.name, pid, stopSignal: spec.stopSignal })
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

/** Output of lines that nobody reads but `lastLines`. */
const nowhere: Pick<Output, 'write' | 'full'> = { write() {}, full: () => undefined }

/** Where a child writes to: a pipe of its own, the supervisor's own output, or, undefined, a socket that Node makes. */
type ChildOutput = Pipe | 'inherit' | undefined

/** Whether it is nginx, which needs no groups, limits or environment of a user's program. */
function isOwn({ output }: SpawnSpec): boolean {
  return output === 'direct'
}

function inputOf(
  spec: SpawnSpec,
  { umask, openFiles, enlargesOutput }: SpawnDeps & { enlargesOutput: boolean },
): Buffer | undefined {
  const groups = spec.uid === undefined ? [] : groupsOf(spec.uid)
  return launchInput(spec, { groups, enlargesOutput, umask, openFiles, architecture: process.arch })
}

/** Starts the program, or the process that becomes it. Without a pid, the system has refused. */
function startProcess(spec: SpawnSpec, outputs: readonly ChildOutput[]): ChildProcess {
  const { directory, inherit, notify } = spec
  const descriptors = outputs.map(output => (typeof output === 'object' ? output.writer : (output ?? 'pipe')))
  const [program = '', ...words] = isOwn(spec) ? spec.argv : [perl, launcher]
  try {
    const subprocess: ChildProcess = spawnProcess(program, words, {
      cwd: directory,
      // variables of the program, such as PERL5OPT or LC_ALL, must not affect Perl
      env: isOwn(spec)
        ? Object.fromEntries(Object.entries(spec.env).map(([name, value]) => [name, revealed(value)]))
        : {},
      stdio: [isOwn(spec) ? 'ignore' : 'pipe', ...descriptors, ...inherit, ...(notify ? (['pipe'] as const) : [])],
      detached: true,
    })
    subprocess.on('error', () => {}) // the missing pid shows it
    if (subprocess.pid === undefined)
      for (const output of outputs) if (typeof output === 'object') output.reader.destroy()
    return subprocess
  } finally {
    for (const descriptor of descriptors) if (typeof descriptor === 'number') closeSync(descriptor)
  }
}

/** Error for a program that cannot be described to the system. The value is not part of it: it may be a secret. */
function nulError({ name }: SpawnSpec): OperatorError {
  return new OperatorError(`cannot start ${name}: its command, directory or environment contains a NUL character`, {
    fix: 'remove it',
  })
}

/** Error for a failed start. The system reports the reason only later, so a program that does nothing is tried at once. */
function startError({ name, argv, directory }: SpawnSpec): OperatorError {
  if (!existsSync(directory))
    return new OperatorError(`cannot start ${name} (${argv[0]}): its directory ${directory} does not exist`, {
      fix: 'restore it, or restart monohull with another directory',
    })
  const stdio = Array.from({ length: 4 }, () => 'pipe' as const)
  const errno = errnoOf(spawnSync(perl, ['-e', '1'], { cwd: directory, stdio }).error)
  const limit = errno === undefined ? undefined : describeLimit(errno)
  const reason = errno === undefined ? '' : `: ${errno}${limit === undefined ? '' : ` (${limit})`}`
  const limitFix = errno === 'EMFILE' || errno === 'EAGAIN' ? errnoFix(errno) : undefined
  return new OperatorError(`cannot start ${name} (${argv[0]}) in ${directory}${reason}`, {
    fix:
      limitFix ??
      'check that the program exists, that the user may execute it and enter the directory, and the limits of open files (ulimit -n) and processes',
  })
}

function startRelay(
  deps: SpawnDeps & { scratch: Scratch },
  spec: SpawnSpec,
  pid: number,
  streamName: 'stdout' | 'stderr',
  stream: Readable | null,
): LineRelay {
  if (!stream) throw new Error(`cannot relay ${streamName} of ${spec.name}: it has no pipe`)
  const { logs } = deps
  const { onLines } = spec
  const isKept = spec.output === 'kept'
  const from = { source: spec.name, origin: isOwn(spec) ? ('nginx' as const) : streamName, pid }
  return relayLines({
    stream,
    output: isKept ? nowhere : deps[streamName],
    format: deps.format,
    source: spec.name,
    pid,
    streamName,
    now: deps.now,
    scratch: deps.scratch,
    keep(lines) {
      if (!isKept) logs?.append(from, lines)
      onLines?.(lines)
    },
    render: streamName === 'stderr' ? spec.renderStderr : undefined,
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
    lastLines: () => (parts.relays.length === 0 ? [unknownLines] : lastLinesOf(parts.relays)),
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

function lastLinesOf(relays: readonly LineRelay[]): string[] {
  return relays
    .flatMap(relay => relay.tail().toString().split('\n'))
    .filter(line => line.trim() !== '')
    .slice(-maxLastLines)
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
