import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../../base/adapters/system-clock.ts'
import { pause } from '../../base/clock.ts'
import { messageOf, OperatorError } from '../../base/errors.ts'
import { groupMembers, isGroupAlive, readProcessStat } from '../../processes/adapters/procfs.ts'

const leftoverGraceMs = 3000
const pollMs = 20
/** After a kill, what a record that is out of date does not name would be left behind. */
const retryMs = 2000

/** A process that can be recognised later: pids are used again, a pid with its start time is not. */
interface Recorded {
  name: string
  pid: number
  startTime: number
}

/** What a running monohull leaves in its run folder for the next one, the command line and the health check. */
export interface InstanceRecord {
  bootId: string
  supervisor: Recorded
  children: Recorded[]
  /** Where this machine reaches HTTP. */
  httpHost: string
  httpPort: number | undefined
  httpsPort: number | undefined
  livePath: string
  /** Connections to the ports begin with a PROXY protocol header. */
  proxyProtocol: boolean
  isServing: boolean
}

export interface Instance {
  /** Notes a child that was started, or is gone. */
  note(change: { type: 'started' | 'ended'; name: string; pid: number }): void
  update(change: Partial<Omit<InstanceRecord, 'bootId' | 'supervisor' | 'children'>>): void
  /** Removes the record; nothing is left behind. */
  release(): void
}

/** The record in a run folder, or undefined. */
export function readInstance(runDir: string): InstanceRecord | undefined {
  try {
    return JSON.parse(readFileSync(join(runDir, 'instance.json'), 'utf8')) as InstanceRecord
  } catch {
    return undefined // none, or written half by a machine that lost power
  }
}

/** The pid of a monohull that runs in this folder now. */
export function findRunning(runDir: string): number | undefined {
  const record = readInstance(runDir)
  return record && record.bootId === bootId() && isSame(record.supervisor) ? record.supervisor.pid : undefined
}

/**
 * Takes the run folder for this process. Ends what an instance that was killed has left running; `onLeftover` is told.
 * An OperatorError when the folder cannot be written, or another instance runs in it.
 */
export async function claimRunDir(runDir: string, onLeftover: (names: string[]) => void): Promise<Instance> {
  makeRunDir(runDir)
  const running = findRunning(runDir)
  if (running !== undefined) {
    throw new OperatorError(`cannot start: monohull runs already in ${runDir} (pid ${running})`, {
      fix: `stop it (kill ${running}), or give this one another run_dir`,
    })
  }
  const previous = readInstance(runDir)
  const leftovers = previous && previous.bootId === bootId() ? previous.children.filter(isLeftover) : []
  if (leftovers.length > 0) {
    onLeftover(leftovers.map(child => `${child.name}[${child.pid}]`))
    await endGroups(leftovers)
  }
  return createInstance(runDir)
}

/** Makes the run folder and tries to write in it; an OperatorError when that fails. */
export function makeRunDir(runDir: string): void {
  try {
    mkdirSync(runDir, { recursive: true, mode: 0o755 })
    writeFileSync(join(runDir, '.writable'), '')
    rmSync(join(runDir, '.writable'))
  } catch (error) {
    throw new OperatorError(`cannot write to run_dir ${runDir}: ${messageOf(error)}`, {
      fix: `make it writable for user ${process.getuid?.()} (docker: --tmpfs /run), or name another with MONOHULL_RUN_DIR`,
    })
  }
}

function createInstance(runDir: string): Instance {
  const self = readProcessStat(process.pid)
  const record: InstanceRecord = {
    bootId: bootId(),
    supervisor: { name: 'monohull', pid: process.pid, startTime: self?.startTime ?? 0 },
    children: [],
    httpHost: '127.0.0.1',
    httpPort: undefined,
    httpsPort: undefined,
    livePath: '/healthz',
    proxyProtocol: false,
    isServing: false,
  }
  const path = join(runDir, 'instance.json')
  const save = () => {
    isDue = false
    try {
      writeFileSync(`${path}.next`, JSON.stringify(record))
      renameSync(`${path}.next`, path)
    } catch {
      saveLater() // a full disk must not stop the service
    }
  }
  // changes that come together are written once
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
    note({ type, name, pid }) {
      const stat = type === 'started' ? readProcessStat(pid) : undefined
      record.children = record.children.filter(child => child.pid !== pid || (type === 'ended' && isGroupAlive(pid)))
      if (stat) record.children.push({ name, pid, startTime: stat.startTime })
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

function isSame({ pid, startTime }: Recorded): boolean {
  const stat = readProcessStat(pid)
  return stat?.startTime === startTime && stat.state !== 'Z'
}

/** The process itself, or the rest of its group: nginx's workers live on without their master. */
function isLeftover(child: Recorded): boolean {
  const leader = readProcessStat(child.pid)
  if (leader && leader.startTime !== child.startTime) return false
  return isSame(child) || groupMembers(child.pid).some(member => member.startTime >= child.startTime)
}

async function endGroups(children: readonly Recorded[]): Promise<void> {
  // QUIT would be nginx's graceful stop, and a core dump of anything else
  for (const child of children) send(child.pid, child.name === 'nginx' ? 'SIGQUIT' : 'SIGTERM')
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
    // gone meanwhile
  }
}

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
}

/** Whether a path leads to something. */
export function isThere(path: string): boolean {
  return existsSync(path)
}
