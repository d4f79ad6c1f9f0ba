import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import type { MemoryGroup } from '../oom-watch.ts'

const root = '/sys/fs/cgroup'
/** Lower bound of the values that v1 writes for "no limit". */
const unlimited = 2 ** 60

/**
 * Number of CPUs that this process may use, possibly fractional: the smaller of its CPU set and its cgroup's quota (v2 cpu.max, v1
 * cpu.cfs_quota_us). Quotas of parent cgroups count too, as far as they are visible.
 */
export function grantedCpus(
  read: (path: string) => string | undefined = readText,
  cpus: number = availableParallelism(),
): number {
  const memberships = readMemberships(read)
  const legacy = pathOf(memberships, 'cpu')
  const quotas = [
    ...directories(root, unifiedPath(memberships)).map(directory => quotaV2(read(join(directory, 'cpu.max')))),
    ...['cpu', 'cpu,cpuacct'].flatMap(name =>
      directories(join(root, name), legacy).map(directory =>
        toCpus(read(join(directory, 'cpu.cfs_quota_us')), read(join(directory, 'cpu.cfs_period_us'))),
      ),
    ),
  ]
  return Math.min(cpus, ...quotas)
}

/** Lines of /proc/self/cgroup: id, controllers, path (cgroups(7)). */
function readMemberships(read: (path: string) => string | undefined): string[][] {
  return (read('/proc/self/cgroup') ?? '').split('\n').map(line => line.split(':'))
}

function unifiedPath(memberships: string[][]): string | undefined {
  return memberships.find(([id]) => id === '0')?.[2]
}

function pathOf(memberships: string[][], controller: string): string | undefined {
  return memberships.find(([, controllers = '']) => controllers.split(',').includes(controller))?.[2]
}

/** Memory of this process's cgroup: v2 memory.events and memory.max, v1 memory.oom_control and memory.limit_in_bytes. */
export function readMemoryGroup(
  read: (path: string) => string | undefined = readText,
): MemoryGroup & { used(): number | undefined } {
  const memberships = readMemberships(read)
  const legacy = pathOf(memberships, 'memory')
  const readFiles = (name: string, legacyName: string) =>
    [
      ...directories(root, unifiedPath(memberships)).map(directory => join(directory, name)),
      ...directories(join(root, 'memory'), legacy).map(directory => join(directory, legacyName)),
    ].flatMap(path => read(path) ?? [])
  return {
    // the first readable one is its own; those of parents count the kills of other cgroups too
    oomKills: () =>
      Number(/^oom_kill (\d+)/m.exec(readFiles('memory.events', 'memory.oom_control')[0] ?? '')?.[1] ?? 0),
    used() {
      const [used, statistics] = [
        readFiles('memory.current', 'memory.usage_in_bytes')[0],
        readFiles('memory.stat', 'memory.stat')[0] ?? '',
      ]
      // the kernel frees these pages before it kills
      const inactive = Number(/^(?:total_)?inactive_file (\d+)/m.exec(statistics)?.[1] ?? 0)
      return used === undefined ? undefined : Math.max(0, Number(used) - inactive)
    },
    limit() {
      const limits = readFiles('memory.max', 'memory.limit_in_bytes').map(Number)
      const least = Math.min(...limits.filter(limit => limit > 0 && limit < unlimited))
      return Number.isFinite(least) ? least : undefined
    },
  }
}

/** Texts of this process's cgroup about what it uses (v2, else v1); undefined: not visible, as on the root of a machine. */
export interface UsageFiles {
  /** `cpu.stat` */
  cpu: string | undefined
  /** CPU time in ns (v1). */
  legacyCpu: string | undefined
  /** Bytes. */
  memory: string | undefined
  memoryStat: string | undefined
}

/** Reads them again. */
export function readUsageFiles(read: (path: string) => string | undefined = readText): UsageFiles {
  const memberships = readMemberships(read)
  function readFirst(name: string, controller: string, legacyName: string): string | undefined {
    const paths = [
      ...directories(root, unifiedPath(memberships)).map(directory => join(directory, name)),
      ...controller
        .split(' ')
        .flatMap(each => directories(join(root, each), pathOf(memberships, each.split(',')[0] ?? '')))
        .map(directory => join(directory, legacyName)),
    ]
    for (const path of paths) {
      const text = read(path)
      if (text !== undefined) return text
    }
    return undefined
  }
  return {
    cpu: readFirst('cpu.stat', 'cpu cpu,cpuacct', 'cpu.stat'),
    legacyCpu: readFirst('', 'cpuacct cpu,cpuacct', 'cpuacct.usage'),
    memory: readFirst('memory.current', 'memory', 'memory.usage_in_bytes'),
    memoryStat: readFirst('memory.stat', 'memory', 'memory.stat'),
  }
}

/** Directory of the cgroup and those of its parents. In a container its own may be mounted as the root. */
function directories(mount: string, path = '/'): string[] {
  const found: string[] = []
  for (let part = path; part !== '/' && part !== '.'; part = dirname(part)) found.push(join(mount, part))
  return [...found, mount]
}

function quotaV2(text: string | undefined): number {
  const [quota, period] = (text ?? '').trim().split(' ')
  return toCpus(quota, period)
}

/** Quota in CPUs. `max`, -1 and unreadable values mean no limit. */
function toCpus(quota: string | undefined, period: string | undefined): number {
  const cpus = Number(quota) / Number(period)
  return cpus > 0 && Number.isFinite(cpus) ? cpus : Number.POSITIVE_INFINITY
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined // the other cgroup version, or not visible
  }
}
