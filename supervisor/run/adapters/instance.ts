import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../../base/adapters/system-clock.ts'
import { pause } from '../../base/clock.ts'
import { messageOf, OperatorError } from '../../base/errors.ts'
import { groupMembers, isGroupAlive, readProcessStat } from '../../processes/adapters/procfs.ts'
import type { ChildChange } from '../../processes/child.ts'
import { expectTrustedDirectory } from './trusted-directory.ts'

const leftoverGraceMs = 3000
const pollMs = 20
/** Delay before an unwritten record is retried. After a kill, processes that an outdated record does not name would be left behind. */
const retryMs = 2000
/** Start time of a process that could not be read. */
const unread = 0

/** Process that can be recognised later: pids are reused, a pid with its start time is not. */
interface Recorded {
  name: string
  pid: number
  startTime: number
}

interface RecordedChild extends Recorded {
  /** Signal on which it stops gracefully, if that is not SIGTERM. */
  stopSignal?: NodeJS.Signals | undefined
}

/** Record of a running monohull in its run directory, for the next instance, the command line and the health check. */
export interface InstanceRecord {
  bootId: string
  supervisor: Recorded
  children: RecordedChild[]
  /** Address at which this machine reaches HTTP. */
  httpHost: string
  httpPort: number | undefined
  httpsPort: number | undefined
  livePath: string
  /** Connections to the ports begin with a PROXY protocol header. */
  proxyProtocol: boolean
  isServing: boolean
}

/** Record of this instance. */
export interface Instance {
  /** Records a child that was started or has ended. */
  note(change: ChildChange): void
  update(change: Partial<Omit<InstanceRecord, 'bootId' | 'supervisor' | 'children'>>): void
  /** Removes the record, after all children have ended. */
  release(): void
}

/** Record in a run directory, or undefined. */
export function readInstance(runDir: string): InstanceRecord | undefined {
  try {
    const record: unknown = JSON.parse(readRegularFile(join(runDir, 'instance.json')))
    return isRecord(record) ? record : undefined
  } catch {
    return undefined // no record, or one half written before a power failure
  }
}

/** Text of a file. Throws for a link, and for a pipe, on which reading would wait. */
function readRegularFile(path: string): string {
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    if (!fstatSync(file).isFile()) throw new Error(`${path} is not a file`)
    return readFileSync(file, 'utf8')
  } finally {
    closeSync(file)
  }
}

/** Whether it is a record; another program may have written the file. */
function isRecord(value: unknown): value is InstanceRecord {
  const { bootId, supervisor, children }: Partial<InstanceRecord> = Object(value)
  if (typeof bootId !== 'string' || !isRecorded(supervisor) || !Array.isArray(children)) return false
  // kill(2) gives the groups 0 and 1 other meanings
  return children.every(child => isRecorded(child) && child.pid > 1)
}

function isRecorded(value: unknown): value is Recorded {
  const { name, pid, startTime }: Partial<Recorded> = Object(value)
  return typeof name === 'string' && Number.isInteger(pid) && Number.isInteger(startTime) && Number(pid) > 0
}

/** Pid of the monohull that is running in a run directory; undefined if there is none. */
export function findRunning(runDir: string): number | undefined {
  const record = readInstance(runDir)
  return record && record.bootId === bootId() && isRunning(record.supervisor) ? record.supervisor.pid : undefined
}

/**
 * Claims the run directory for this process. Stops processes left by a killed instance, and passes their names to `onLeftover`.
 * Throws an OperatorError if the directory is not writable or another instance is running in it.
 */
export async function claimRunDir(runDir: string, onLeftover: (names: string[]) => void): Promise<Instance> {
  makeRunDir(runDir)
  const running = findRunning(runDir)
  if (running !== undefined) {
    throw new OperatorError(`cannot start: monohull is already running in ${runDir} (pid ${running})`, {
      fix: `stop it (kill ${running}), or set another run_dir`,
    })
  }
  const previous = readInstance(runDir)
  const leftovers = previous && previous.bootId === bootId() ? previous.children.filter(isLeftover) : []
  if (leftovers.length > 0) {
    onLeftover(leftovers.map(child => `${child.name}[${child.pid}]`))
    await stopGroups(leftovers)
  }
  return createInstance(runDir)
}

/** Creates the run directory. Throws an OperatorError if it is not writable, or if another user controls it. */
export function makeRunDir(runDir: string): void {
  const setting = { key: 'run_dir', path: runDir } as const
  expectTrustedDirectory(setting)
  try {
    mkdirSync(runDir, { recursive: true, mode: 0o755 })
    // somebody may have created it meanwhile
    expectTrustedDirectory(setting)
    // others may look at the same time: monohull doctor, and the health check
    const probe = join(runDir, `.writable-${process.pid}`)
    replaceFile(probe, '')
    rmSync(probe)
  } catch (error) {
    if (error instanceof OperatorError) throw error
    throw new OperatorError(`cannot write to run_dir ${runDir}: ${messageOf(error)}`, {
      fix: `make it writable for user ${process.getuid?.()} (docker: --tmpfs /run), or set another with MONOHULL_RUN_DIR`,
    })
  }
}

/** Writes a file that did not exist before, so that no link is followed. */
function replaceFile(path: string, text: string): void {
  rmSync(path, { force: true })
  writeFileSync(path, text, { flag: 'wx' })
}

function createInstance(runDir: string): Instance {
  const record: InstanceRecord = {
    bootId: bootId(),
    supervisor: { name: 'monohull', pid: process.pid, startTime: unread },
    children: [],
    httpHost: '127.0.0.1',
    httpPort: undefined,
    httpsPort: undefined,
    livePath: '/healthz',
    proxyProtocol: false,
    isServing: false,
  }
  /** Pids of recorded processes that have exited, of whose groups others were left then. */
  const ended = new Set<number>()
  const path = join(runDir, 'instance.json')
  const save = () => {
    isDue = false
    readStartTimes(record)
    try {
      replaceFile(`${path}.next`, JSON.stringify(record))
      renameSync(`${path}.next`, path)
    } catch {
      saveLater() // a full disk must not stop the service
    }
  }
  // changes at the same time are written once
  let isDue = false
  let isWaiting = false
  let isReleased = false
  const saveLater = () => {
    if (isWaiting) return
    isWaiting = true
    setTimeout(() => {
      isWaiting = false
      saveSoon()
    }, retryMs).unref()
  }
  const saveSoon = () => {
    if (isReleased) return
    if (!isDue) setImmediate(() => isDue && save())
    isDue = true
  }
  save()
  return {
    note(change) {
      const { type, name, pid } = change
      if (type === 'ended') ended.add(pid)
      else ended.delete(pid)
      record.children = record.children.filter(
        child => (child.pid !== pid || type === 'ended') && (!ended.has(child.pid) || isGroupAlive(child.pid)),
      )
      for (const other of ended) if (record.children.every(child => child.pid !== other)) ended.delete(other)
      if (change.type === 'started') {
        const { stopSignal } = change
        record.children.push({ name, pid, startTime: readProcessStat(pid)?.startTime ?? unread, stopSignal })
      }
      saveSoon()
    },
    update(change) {
      Object.assign(record, change)
      save()
    },
    release() {
      isDue = false
      isReleased = true
      rmSync(path, { force: true })
    },
  }
}

/** Those that could not be read when the process was noted, for want of descriptors. */
function readStartTimes({ supervisor, children }: InstanceRecord): void {
  for (const process of [supervisor, ...children])
    if (process.startTime === unread) process.startTime = readProcessStat(process.pid)?.startTime ?? unread
}

/** Whether a recorded process is still running. */
export function isRunning({ pid, startTime }: Recorded): boolean {
  const stat = readProcessStat(pid)
  return stat?.startTime === startTime && stat.state !== 'Z'
}

/** Whether the process, or the rest of its group, is still running: nginx's workers survive their master. */
function isLeftover(child: Recorded): boolean {
  if (child.startTime === unread) return false
  const leader = readProcessStat(child.pid)
  if (leader && leader.startTime !== child.startTime) return false
  return isRunning(child) || groupMembers(child.pid).some(member => member.startTime >= child.startTime)
}

async function stopGroups(children: readonly RecordedChild[]): Promise<void> {
  for (const child of children) send(child.pid, child.stopSignal ?? 'SIGTERM')
  const deadline = systemClock.monotonic() + leftoverGraceMs
  while (systemClock.monotonic() < deadline && children.some(child => isGroupAlive(child.pid)))
    await pause(systemClock, pollMs)
  for (const child of children) send(child.pid, 'SIGKILL')
  while (children.some(child => isGroupAlive(child.pid))) await pause(systemClock, pollMs)
}

function send(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal)
  } catch {
    // ended meanwhile
  }
}

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
}

/** Whether a path exists; a dangling link does not. */
export function exists(path: string): boolean {
  return existsSync(path)
}
