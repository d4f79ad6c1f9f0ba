import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, readSync, statSync } from 'node:fs'
import { basename } from 'node:path'

/** Fields of /proc/PID/stat (proc(5)). */
export interface ProcessStat {
  pid: number
  command: string
  state: string
  parent: number
  group: number
  /** Clock ticks from boot to its start. Together with the pid it identifies a process uniquely. */
  startTime: number
}

/** Status of a process; undefined if it has exited. */
export function readProcessStat(pid: number): ProcessStat | undefined {
  let text: string
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1')
  } catch {
    return undefined // it has exited
  }
  const open = text.indexOf('(')
  const close = text.lastIndexOf(')')
  const fields = text.slice(close + 2).split(' ')
  return {
    pid,
    command: text.slice(open + 1, close),
    state: fields[0] ?? '',
    parent: Number(fields[1]),
    group: Number(fields[2]),
    startTime: Number(fields[19]),
  }
}

/** Every process that is visible to this one; undefined if it lacks the descriptors to look. */
function tryListProcesses(): ProcessStat[] | undefined {
  try {
    return readdirSync('/proc')
      .filter(name => /^\d+$/.test(name))
      .flatMap(name => readProcessStat(Number(name)) ?? [])
  } catch {
    return undefined
  }
}

/** Every process that is visible to this one, as far as it can look. */
export function listProcesses(): ProcessStat[] {
  return tryListProcesses() ?? []
}

function isMember(stat: ProcessStat, group: number): boolean {
  return stat.group === group && stat.state !== 'Z' && stat.state !== 'X'
}

/** Running members of a process group, without zombies, as far as they are visible. */
export function groupMembers(group: number): ProcessStat[] {
  return listProcesses().filter(stat => isMember(stat, group))
}

/** Whether a process group has a running member; cheap if it has none. One that cannot be checked counts as alive. */
export function isGroupAlive(group: number): boolean {
  try {
    process.kill(-group, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
  }
  return tryListProcesses()?.some(stat => isMember(stat, group)) ?? true
}

/** Number of voluntary context switches of a process group so far (proc(5)). */
export function wakeUpsOf(group: number): number {
  return groupMembers(group)
    .map(({ pid }) => /^voluntary_ctxt_switches:\t(\d+)/m.exec(readText(`/proc/${pid}/status`) ?? '')?.[1])
    .reduce((sum, count) => sum + Number(count ?? 0), 0)
}

/** State of a process, and its number of voluntary context switches so far (proc(5)); undefined if it has exited. */
export function readActivity(pid: number): { pid: number; state: string; waits: number } | undefined {
  const status = readShort(`/proc/${pid}/status`) ?? ''
  const state = /^State:\t(\w)/m.exec(status)?.[1]
  const waits = /^voluntary_ctxt_switches:\t(\d+)/m.exec(status)?.[1]
  return state === undefined ? undefined : { pid, state, waits: Number(waits ?? 0) }
}

/** Number of open files of a process; 0 if it is unknown, because it has exited or the kernel is older than 6.2. */
export function countOpenFiles(pid: number): number {
  return statSync(`/proc/${pid}/fd`, { throwIfNoEntry: false })?.size ?? 0
}

/** Resident bytes (VmRSS, proc(5)) by process group. Pages shared by two processes count twice. */
export function memoryOfGroups(groups: readonly number[]): Map<number, number> {
  const sums = new Map(groups.map(group => [group, 0]))
  for (const { pid, group } of groups.length > 0 ? listProcesses() : []) {
    const sum = sums.get(group)
    if (sum === undefined) continue
    const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readText(`/proc/${pid}/status`) ?? '')?.[1]
    sums.set(group, sum + Number(kilobytes ?? 0) * 1024)
  }
  return sums
}

/** Whether an nginx worker has stopped accepting, or has exited. A worker that stops shows it in its command line, which everyone may read. */
export function isNginxDraining(pid: number): boolean {
  return !/^nginx: worker process\0*$/.test(readText(`/proc/${pid}/cmdline`) ?? '')
}

/** Whether no nginx worker of a process group accepts connections any more. */
export function isGroupDraining(group: number): boolean {
  return groupMembers(group).every(({ pid }) => isNginxDraining(pid))
}

/**
 * Whether a process that waits for signals in sigsuspend(2), as nginx's master does, handles a SIGHUP: the signal is pending, or blocked
 * until the process waits again, or the process runs and is about to block it. Undefined if /proc does not show that.
 */
export function isHandlingHangup(pid: number): boolean | undefined {
  const status = readText(`/proc/${pid}/status`) ?? ''
  const masks = status.matchAll(/^(?:SigPnd|ShdPnd|SigBlk):\t[0-9a-f]*([0-9a-f])$/gm)
  // SIGHUP is signal 1: the last bit
  const bits = [...masks].map(([, digit = '0']) => Number.parseInt(digit, 16) & 1)
  return bits.length === 3 ? bits.includes(1) || !/^State:\tS/m.test(status) : undefined
}

/** Direct children of a process. */
export function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ').filter(Boolean).map(Number)
  } catch {
    return listProcesses()
      .filter(stat => stat.parent === pid)
      .map(stat => stat.pid)
  }
}

interface ListeningSocket {
  inode: string
  address: string
  port: number
}

function listeningSockets(): ListeningSocket[] {
  return ['/proc/net/tcp', '/proc/net/tcp6'].flatMap(file => {
    let text: string
    try {
      text = readFileSync(file, 'latin1')
    } catch {
      return [] // no IPv6
    }
    return text
      .split('\n')
      .slice(1)
      .map(line => line.trim().split(/\s+/))
      .filter(fields => fields[3] === '0A')
      .map(fields => {
        const [address = '', port = ''] = (fields[1] ?? '').split(':')
        return { inode: fields[9] ?? '', address, port: Number.parseInt(port, 16) }
      })
  })
}

function socketsOf(pid: number): Set<string> {
  try {
    const links = readdirSync(`/proc/${pid}/fd`).map(fd => {
      try {
        return readlinkSync(`/proc/${pid}/fd/${fd}`)
      } catch {
        return '' // closed in the meantime
      }
    })
    return new Set(links.flatMap(link => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []))
  } catch {
    return new Set() // another user's process
  }
}

/** Program name from the command line. The `command` of a Node process is the name of its main thread instead. */
function programOf({ pid, command }: ProcessStat): string {
  const [first = ''] = (readText(`/proc/${pid}/cmdline`) ?? '').split(/[\0 ]/)
  return basename(first.replace(/:$/, '')) || command
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return undefined // the process has exited
  }
}

/** The same for a file of at most 4 KB, with half of the calls. */
function readShort(path: string): string | undefined {
  try {
    const file = openSync(path, 'r')
    try {
      const buffer = Buffer.allocUnsafe(4096)
      return buffer.toString('latin1', 0, readSync(file, buffer))
    } finally {
      closeSync(file)
    }
  } catch {
    return undefined
  }
}

/** Process that listens on a TCP port, such as `nginx (pid 4711)`; undefined if it is not visible. */
export function describePortOwner(port: number): string | undefined {
  const inodes = new Set(
    listeningSockets()
      .filter(socket => socket.port === port)
      .map(socket => socket.inode),
  )
  const owner = listProcesses().find(stat => [...socketsOf(stat.pid)].some(inode => inodes.has(inode)))
  return owner && `${programOf(owner)} (pid ${owner.pid})`
}

/** TCP ports that the processes of a group listen on. */
export function portsOfGroup(group: number): number[] {
  const inodes = new Set(groupMembers(group).flatMap(stat => [...socketsOf(stat.pid)]))
  return [
    ...new Set(
      listeningSockets()
        .filter(socket => inodes.has(socket.inode))
        .map(socket => socket.port),
    ),
  ]
}
