import type { DiagnosisFacts, DiskFacts } from './facts.ts'
import type { DiagnosedSettings, Finding } from './finding.ts'

/** Shares from which something is short. */
const [fullMemory, fullDisk, fullFiles] = [0.9, 0.95, 0.95]
const minFreeBytes = 50 * 2 ** 20
/** Workers for each CPU above which they only take memory, unless they wait for others most of the time. */
const workersPerCpu = 4
/** Connections of an nginx process below which a busy site runs short. */
const fewConnections = 2048
/** Descriptors of an nginx process: for each connection, and for itself. */
const [filesPerConnection, spareFiles] = [1.5, 64]

/** Findings about the memory of the container and its workers. */
export function memoryFindings({ apps }: DiagnosedSettings, facts: DiagnosisFacts): Finding[] {
  const { memory, cpus, workerMemory, surroundings } = facts
  const { limit, used } = memory
  const findings: Finding[] = []
  const workers = apps.flatMap(({ name, plan }) => (plan ? [{ name, plan }] : []))
  const key = (name: string, word: string) => (name === 'app' ? word : `apps.${name}.${word}`)
  for (const { name, plan } of workers)
    if (plan.count > workersPerCpu * Math.max(1, cpus))
      findings.push({
        level: 'warning',
        about: key(name, 'workers'),
        text: `${plan.count} workers share ${cpus} ${cpus === 1 ? 'CPU' : 'CPUs'}: each takes memory, and more than ${workersPerCpu} for each CPU rarely help`,
        fix: `${key(name, 'workers')}: auto, or docker run --cpus`,
      })
  if (limit === undefined) {
    if (surroundings !== 'host')
      findings.push({
        level: 'warning',
        about: 'memory',
        text: 'the container has no memory limit: a leak takes the memory of the whole machine',
        fix: surroundings === 'kubernetes' ? 'resources.limits.memory in the pod' : 'docker run --memory 512m',
      })
    return findings
  }
  const bounded = workers.map(({ name, plan }) => ({
    bytes: plan.count * (plan.recycle.maxMemoryBytes || (workerMemory.get(name) ?? 0) / plan.count),
    isSet: plan.recycle.maxMemoryBytes > 0,
    name,
  }))
  const sum = bounded.reduce((total, { bytes }) => total + bytes, 0)
  if (sum > limit && bounded.some(({ isSet }) => isSet))
    findings.push({
      level: 'warning',
      about: 'max_memory',
      text: `all workers together may use ${mb(sum)} before one is replaced, and the container has ${mb(limit)}: the kernel would kill one first`,
      fix: 'lower max_memory or workers, or raise docker run --memory',
    })
  if (used !== undefined && used > fullMemory * limit)
    findings.push({
      level: 'problem',
      about: 'memory',
      text: `${mb(used)} of ${mb(limit)} are in use: the kernel kills a process when nothing is left`,
      fix: 'fewer workers (monohull scale), max_memory against leaks, or a higher docker run --memory',
    })
  return findings
}

/** Findings about the space of a directory. */
export function diskFindings({ key, path, freeBytes, bytes, freeFiles, files }: DiskFacts): Finding[] {
  const isFull = freeBytes < minFreeBytes || freeBytes < (1 - fullDisk) * bytes
  const hasFewFiles = files > 0 && freeFiles < (1 - fullFiles) * files
  if (!isFull && !hasFewFiles) return []
  const left = isFull ? `${mb(freeBytes)} of ${mb(bytes)}` : `${freeFiles} of ${files} inodes`
  return [
    {
      level: freeBytes === 0 || (hasFewFiles && freeFiles === 0) ? 'problem' : 'warning',
      about: key,
      text: `the file system of ${key} (${path}) has ${left} left`,
      fix: `free space there (docker system prune), or ${key} on a larger file system`,
    },
  ]
}

/** Findings about the open files that nginx may have. */
export function descriptorFindings(
  { nginxConnections, config }: DiagnosedSettings,
  { openFiles }: DiagnosisFacts,
): Finding[] {
  const { perWorker } = nginxConnections
  const isAuto = config.nginx.worker_connections === 'auto'
  const isBound = openFiles < perWorker * filesPerConnection + 2 * spareFiles
  if (!isBound || (isAuto && perWorker >= fewConnections)) return []
  return [
    {
      level: 'warning',
      about: 'descriptors',
      text: `a process may have ${openFiles} files open, so that each nginx process has ${perWorker} connections; a request needs two`,
      fix: 'docker run --ulimit nofile=65536 (Compose: ulimits.nofile; systemd: LimitNOFILE), or nginx.worker_connections',
    },
  ]
}

function mb(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MB`
}
