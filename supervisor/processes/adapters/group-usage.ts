import { readdirSync, readFileSync, statSync } from 'node:fs'
import type { ProcessUsage } from '../usage.ts'

/** Ticks per second in /proc, whatever the kernel's own clock (USER_HZ). */
const ticksPerSecond = 100

/** What process groups use, as far as /proc shows it. A group without processes is left out. */
export function usageOfGroups(groups: ReadonlySet<number>): Map<number, ProcessUsage> {
  const found = new Map<number, ProcessUsage>()
  if (groups.size === 0) return found
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const stat = readText(`/proc/${name}/stat`)
    // proc_pid_stat(5): the fields after the name, which may contain anything
    const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? []
    const group = Number(fields[2])
    if (!groups.has(group) || fields[0] === 'Z') continue
    const sum = found.get(group) ?? { rss: 0, cpuSeconds: 0 }
    const ticks = [11, 12, 13, 14].reduce((total, index) => total + Number(fields[index]), 0)
    const descriptors = countDescriptors(`/proc/${name}/fd`)
    found.set(group, {
      rss: sum.rss + residentBytes(`/proc/${name}/status`),
      cpuSeconds: sum.cpuSeconds + ticks / ticksPerSecond,
      ...(descriptors === undefined && sum.descriptors === undefined
        ? {}
        : { descriptors: (sum.descriptors ?? 0) + (descriptors ?? 0) }),
    })
  }
  return found
}

function residentBytes(path: string): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readText(path) ?? '')?.[1] ?? 0) * 1024
}

/** The size is the number since Linux 6.2; before, it is 0. */
function countDescriptors(directory: string): number | undefined {
  try {
    return statSync(directory).size || readdirSync(directory).length
  } catch {
    return undefined // another user's process, or one that has exited
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return undefined // the process has exited
  }
}
