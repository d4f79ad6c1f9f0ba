import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'

const root = '/sys/fs/cgroup'

/**
 * CPUs that this process may use: the smaller of its CPU set and its cgroup's quota (v2 cpu.max, v1 cpu.cfs_quota_us),
 * in CPUs, with a fraction. Quotas of the cgroups above count too, as far as they can be seen.
 */
export function grantedCpus(
  read: (path: string) => string | undefined = readText,
  cpus: number = availableParallelism(),
): number {
  const memberships = (read('/proc/self/cgroup') ?? '').split('\n').map(line => line.split(':'))
  const unified = memberships.find(([id]) => id === '0')?.[2]
  const legacy = memberships.find(([, controllers = '']) => controllers.split(',').includes('cpu'))?.[2]
  const quotas = [
    ...folders(root, unified).map(folder => quotaV2(read(join(folder, 'cpu.max')))),
    ...['cpu', 'cpu,cpuacct'].flatMap(name =>
      folders(join(root, name), legacy).map(folder =>
        toCpus(read(join(folder, 'cpu.cfs_quota_us')), read(join(folder, 'cpu.cfs_period_us'))),
      ),
    ),
  ]
  return Math.min(cpus, ...quotas)
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
