import { readFileSync } from 'node:fs'

/** Limit behind an errno with its value, such as `limit of processes and threads: 40`; undefined if it is none or unknown. */
export function describeLimit(
  errno: string,
  read: (path: string) => string | undefined = readText,
): string | undefined {
  if (errno === 'EMFILE') return describe('limit of open files', softLimit('Max open files', read))
  if (errno !== 'EAGAIN') return undefined
  // the cgroup's (v2, v1) usually comes before the user's
  const ofGroup = ['/sys/fs/cgroup/pids.max', '/sys/fs/cgroup/pids/pids.max']
    .map(path => read(path)?.trim())
    .find(isLimit)
  return describe('limit of processes and threads', ofGroup ?? softLimit('Max processes', read))
}

function describe(name: string, value: string | undefined): string | undefined {
  return isLimit(value) ? `${name}: ${value}` : undefined
}

/** Soft limit of this process (proc_pid_limits(5)). */
function softLimit(name: string, read: (path: string) => string | undefined): string | undefined {
  return new RegExp(`^${name}\\s+(\\S+)`, 'm').exec(read('/proc/self/limits') ?? '')?.[1]
}

function isLimit(value: string | undefined): value is string {
  return value !== undefined && /^\d+$/.test(value)
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return undefined // another cgroup version
  }
}

/** Number of files that a child of this process may have open: the hard limit, because children can raise the soft one. */
export function openFilesLimit(): number {
  try {
    const [, hard = ''] = /^Max open files +\S+ +(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? []
    return Number(hard) || Number.POSITIVE_INFINITY
  } catch {
    return 1024 // unreadable: what every system grants
  }
}
