import { readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { findRunning, type InstanceRecord, readInstance } from './instance.ts'

/** Socket of the admin API in the run directory. */
export const adminSocketName = 'admin.sock'
/** Flag of sockets that listen (__SO_ACCEPTCON), as /proc/net/unix shows it. */
const listening = '00010000'

/**
 * Record of the instance in `runDir`. If none runs there, and `searches` is set, that of another instance in this container: its run directory
 * may be set in a file or by a flag, which only the instance itself has read.
 */
export function searchInstance(runDir: string, searches: boolean): InstanceRecord | undefined {
  if (findRunning(runDir) !== undefined || !searches) return readInstance(runDir)
  return readInstance(runningDirs()[0] ?? runDir)
}

/** Run directories of the instances of this user and of root, which listen on their admin sockets. Another user's could say anything. */
export function runningDirs(): string[] {
  const user = process.geteuid?.()
  return runDirsOf(readSockets()).filter(directory => {
    const owner = ownerOf(join(directory, adminSocketName))
    return (owner === 0 || owner === user) && findRunning(directory) !== undefined
  })
}

/** Whether a process listens on the admin socket of a run directory, even if the file of the socket was removed. */
export function hasListener(runDir: string): boolean {
  return runDirsOf(readSockets()).includes(runDir)
}

/** Directories of the admin sockets in the text of /proc/net/unix. */
export function runDirsOf(sockets: string): string[] {
  return sockets.split('\n').flatMap(line => {
    const [, flags, path = ''] = /^\S+: \S+ \S+ (\S+) \S+ \S+ +\d+ (\/.*)$/.exec(line) ?? []
    return flags === listening && path.endsWith(`/${adminSocketName}`) ? dirname(path) : []
  })
}

function readSockets(): string {
  try {
    return readFileSync('/proc/net/unix', 'utf8')
  } catch {
    return '' // a kernel that does not show them
  }
}

function ownerOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.uid
}
