import { existsSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { ContainerUsage, DiskUsage } from '../usage.ts'
import { grantedCpus, readMemoryGroup, readUsageFiles } from './cgroup.ts'

const nanosPerSecond = 1e9
const microsPerSecond = 1e6

/** Directory whose disk is looked at. */
export interface NamedDirectory {
  name: string
  path: string
}

/** What the container, or the whole machine outside of one, uses. */
export async function readContainerUsage(directories: readonly NamedDirectory[]): Promise<ContainerUsage> {
  const files = readUsageFiles()
  const memory = readMemoryGroup()
  const cpuSeconds = field(files.cpu, 'usage_usec', microsPerSecond) ?? field(files.legacyCpu, '', nanosPerSecond)
  const throttledSeconds =
    field(files.cpu, 'throttled_usec', microsPerSecond) ?? field(files.cpu, 'throttled_time', nanosPerSecond)
  const used = workingSet(files)
  const memoryLimit = memory.limit()
  return {
    ...(cpuSeconds === undefined ? {} : { cpuSeconds }),
    cpus: grantedCpus(),
    ...(throttledSeconds === undefined ? {} : { throttledSeconds }),
    ...(used === undefined ? {} : { memory: used }),
    ...(memoryLimit === undefined ? {} : { memoryLimit }),
    oomKills: memory.oomKills(),
    disks: await Promise.all(directories.map(readDisk)).then(found => found.flatMap(disk => disk ?? [])),
  }
}

/** Memory without files that the kernel may drop at any time, as Kubernetes and `docker stats` count it. */
function workingSet({ memory, memoryStat }: ReturnType<typeof readUsageFiles>): number | undefined {
  if (memory === undefined) return undefined
  const droppable = field(memoryStat, 'total_inactive_file', 1) ?? field(memoryStat, 'inactive_file', 1) ?? 0
  return Math.max(0, Number(memory) - droppable)
}

/** Number of a field, or of the whole text if the name is empty, in other units. */
function field(text: string | undefined, name: string, divisor: number): number | undefined {
  if (text === undefined) return undefined
  const found = name === '' ? text.trim() : new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1]
  return found === undefined ? undefined : Number(found) / divisor
}

/** Disk of a directory, or of the nearest one above it that exists. */
async function readDisk({ name, path }: NamedDirectory): Promise<DiskUsage | undefined> {
  let existing = path
  while (!existsSync(existing) && existing !== dirname(existing)) existing = dirname(existing)
  try {
    const { bavail, blocks, bsize } = await statfs(existing)
    return { name, path, free: bavail * bsize, size: blocks * bsize }
  } catch {
    return undefined // not reachable for this user
  }
}
