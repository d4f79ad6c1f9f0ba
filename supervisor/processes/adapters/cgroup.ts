import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import type { MemoryGroup } from '../oom-watch.ts'

const root = '/sys/fs/cgroup'
/** v1 writes "no limit" as the greatest number of whole pages. */
const unlimited = 2 ** 60

/**
 * CPUs that this process may use: the smaller of its CPU set and its cgroup's quota (v2 cpu.max, v1 cpu.cfs_quota_us),
 * in CPUs, with a fraction. Quotas of the cgroups above count too, as far as they can be seen.
 */
export function grantedCpus(
  read: (path: string) => string | undefined = readText,
  cpus: number = availableParallelism(),
): number {
  const memberships = readMemberships(read)
  const legacy = pathOf(memberships, 'cpu')
  const quotas = [
    ...folders(root, unifiedPath(memberships)).map(folder => quotaV2(read(join(folder, 'cpu.max')))),
    ...['cpu', 'cpu,cpuacct'].flatMap(name =>
      folders(join(root, name), legacy).map(folder =>
        toCpus(read(join(folder, 'cpu.cfs_quota_us')), read(join(folder, 'cpu.cfs_period_us'))),
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

/** The memory of this process's own cgroup: v2 memory.events and memory.max, v1 memory.oom_control and memory.limit_in_bytes. */
export function readMemoryGroup(read: (path: string) => string | undefined = readText): MemoryGroup {
  const memberships = readMemberships(read)
  const legacy = pathOf(memberships, 'memory')
  const inFolder = (name: string, legacyName: string) =>
    [
      ...folders(root, unifiedPath(memberships)).map(folder => join(folder, name)),
      ...folders(join(root, 'memory'), legacy).map(folder => join(folder, legacyName)),
    ].flatMap(path => read(path) ?? [])
  return {
    // the first that can be read is its own; those above count the kills of others too
    oomKills: () => Number(/^oom_kill (\d+)/m.exec(inFolder('memory.events', 'memory.oom_control')[0] ?? '')?.[1] ?? 0),
    limit() {
      const limits = inFolder('memory.max', 'memory.limit_in_bytes').map(Number)
      const least = Math.min(...limits.filter(limit => limit > 0 && limit < unlimited))
      return Number.isFinite(least) ? least : undefined
    },
  }
}

/** The cgroup's folder and those above it; in a container its own may be mounted as the root. */
function folders(mount: string, path = '/'): string[] {
  const found: string[] = []
  for (let part = path; part !== '/' && part !== '.'; part = dirname(part)) found.push(join(mount, part))
  return [...found, mount]
}

function quotaV2(text: string | undefined): number {
  const [quota, period] = (text ?? '').trim().split(' ')
  return toCpus(quota, period)
}

/** `max`, -1 and what cannot be read are no limit. */
function toCpus(quota: string | undefined, period: string | undefined): number {
  const cpus = Number(quota) / Number(period)
  return cpus > 0 && Number.isFinite(cpus) ? cpus : Number.POSITIVE_INFINITY
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined // the other cgroup version, or not to be seen
  }
}
