import { formatDuration } from '../../base/duration.ts'
import type { DiagnosisFacts } from './facts.ts'
import type { DiagnosedSettings, Finding } from './finding.ts'
import { descriptorFindings, diskFindings, memoryFindings } from './resources.ts'

const dockerGraceMs = 10_000
const kubernetesGraceMs = 30_000
/** Time to end after `stop_timeout`. */
const spareMs = 1000
const clockToleranceMs = 60_000
/** Findings about the machine for these settings, the most severe first. */
export function diagnose(settings: DiagnosedSettings, facts: DiagnosisFacts): Finding[] {
  const all = [
    ...stopFindings(settings, facts),
    ...memoryFindings(settings, facts),
    ...volumeFindings(settings, facts),
    ...clockFindings(facts),
    ...nameFindings(facts),
    ...facts.disks.flatMap(diskFindings),
    ...descriptorFindings(settings, facts),
    ...portFindings(settings, facts),
    ...runningFindings(facts),
  ]
  return bySeverity(all)
}

/** Findings with the most severe first. */
export function bySeverity(findings: readonly Finding[]): Finding[] {
  return (['problem', 'warning', 'note'] as const).flatMap(level => findings.filter(found => found.level === level))
}

function stopFindings({ config }: DiagnosedSettings, { surroundings, platform }: DiagnosisFacts): Finding[] {
  if (surroundings === 'host' || platform !== undefined) return []
  const { stop_timeout: stopMs, stop_delay: delayMs } = config
  const isKubernetes = surroundings === 'kubernetes'
  const graceMs = isKubernetes ? kubernetesGraceMs : dockerGraceMs
  const seconds = Math.ceil((stopMs + spareMs) / 1000)
  const isLate = stopMs + spareMs > graceMs
  return [
    ...(isLate
      ? [
          {
            level: 'warning' as const,
            about: 'stop_timeout',
            text: `a stop may take ${formatDuration(stopMs)}, and by default ${isKubernetes ? 'Kubernetes' : 'docker stop'} kills the container after ${formatDuration(graceMs)}`,
            fix: isKubernetes
              ? `terminationGracePeriodSeconds: ${seconds} in the pod, or lower stop_timeout`
              : `docker run --stop-timeout ${seconds} (Compose: stop_grace_period: ${seconds}s), or lower stop_timeout`,
          },
        ]
      : []),
    ...(isKubernetes && delayMs === 0
      ? [
          {
            level: 'warning' as const,
            about: 'stop_delay',
            text: 'Kubernetes sends requests to a pod for some seconds after it has asked it to stop',
            fix: 'stop_delay: 5s, and stop_timeout 5s longer',
          },
        ]
      : []),
  ]
}

function volumeFindings({ config }: DiagnosedSettings, { transience, surroundings }: DiagnosisFacts): Finding[] {
  if (transience === undefined || surroundings === 'host') return []
  const lost = [
    ...(config.tls.acme ? ['certificates, of which a CA issues few a week'] : []),
    ...(config.https !== 'off' && !config.tls.acme ? ['the local CA, which devices would have to trust again'] : []),
    ...(config.dynamic_routes ? ['dynamic routes'] : []),
    'maintenance mode',
  ]
  const volume = surroundings === 'kubernetes' ? 'a PersistentVolumeClaim mounted at' : 'docker run -v monohull-state:'
  return [
    {
      level: config.tls.acme ? 'problem' : 'warning',
      about: 'state_dir',
      text: `state_dir ${config.state_dir} ${transience}: a new container loses ${lost.join(', ')}`,
      fix: `${volume}${surroundings === 'kubernetes' ? ' ' : ''}${config.state_dir}, or state_dir in a mounted directory`,
    },
  ]
}

function clockFindings({ clock: { now, passed }, authority }: DiagnosisFacts): Finding[] {
  const fix =
    'set the clock of the machine, for instance with NTP (chrony, systemd-timesyncd); a container has none of its own'
  const iso = (time: number) => new Date(time).toISOString()
  const behind = passed && passed.time - now > clockToleranceMs
  const ahead = authority?.aheadMs
  return [
    ...(behind
      ? [
          {
            level: 'problem' as const,
            about: 'clock',
            text: `the clock shows ${iso(now)}, but ${passed.evidence} is of ${iso(passed.time)}`,
            fix,
          },
        ]
      : []),
    ...(ahead !== undefined && Math.abs(ahead) > clockToleranceMs
      ? [
          {
            level: 'problem' as const,
            about: 'clock',
            text: `the clock is ${formatDuration(Math.round(Math.abs(ahead) / 1000) * 1000)} ${ahead > 0 ? 'behind' : 'ahead of'} that of ${authority?.url}`,
            fix,
          },
        ]
      : []),
  ]
}

function nameFindings({ names, authority }: DiagnosisFacts): Finding[] {
  const unresolved = names.flatMap(({ name, key, problem }): Finding[] =>
    problem === undefined
      ? []
      : [
          {
            level: 'warning',
            about: key,
            text: `${name} does not resolve: ${problem}`,
            fix: `correct ${key} or its DNS records; if nothing resolves: docker run --dns`,
          },
        ],
  )
  if (authority?.problem === undefined) return unresolved
  const unreachable: Finding = {
    level: 'warning',
    about: 'tls.acme.directory',
    text: `cannot reach ${authority.url}: ${authority.problem}`,
    fix: 'allow outgoing HTTPS; for a CA of your own, tls.acme.directory and tls.acme.ca_file',
  }
  return [...unresolved, unreachable]
}

function portFindings({ config }: DiagnosedSettings, { surroundings, platform }: DiagnosisFacts): Finding[] {
  const { bind_addresses: addresses, https, https_port, public_https_port, http_port } = config
  const findings: Finding[] = []
  const isInContainer = surroundings !== 'host'
  if (isInContainer && addresses?.every(isLoopback))
    findings.push({
      level: 'problem',
      about: 'bind_addresses',
      text: `only ${addresses.join(', ')} is bound: a published port leads to another address of the container`,
      fix: 'remove bind_addresses, and publish with docker run -p 127.0.0.1:80:80 instead',
    })
  if (isInContainer && https === 'redirect' && public_https_port === undefined && ![0, 443].includes(https_port))
    findings.push({
      level: 'warning',
      about: 'public_https_port',
      text: `redirects to HTTPS lead clients to port ${https_port}`,
      fix: `public_https_port: 443 if it is published as 443 (docker run -p 443:${https_port})`,
    })
  if (isInContainer && platform === undefined && http_port > 0) {
    const ports = (https === 'off' ? [http_port] : [http_port, https_port]).filter(port => port > 0)
    const flags = ports.map(port => `-p ${port}:${port}`).join(' ')
    const needed = surroundings === 'kubernetes' ? `ports ${ports.join(', ')} in the Service` : `docker run ${flags}`
    findings.push({
      level: 'note',
      about: 'ports',
      text: `clients reach ${ports.join(' and ')} only if published, which cannot be seen from inside: ${needed}`,
    })
  }
  return findings
}

function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1' || address === 'localhost'
}

function runningFindings({ running }: DiagnosisFacts): Finding[] {
  if (!running)
    return [
      {
        level: 'note',
        about: 'instance',
        text: 'no instance is running in run_dir: only the configuration and the machine were checked',
      },
    ]
  const unserved = running.workers.filter(({ state }) => state === 'waiting' || state === 'not accepting')
  return [
    ...(running.state === 'ready'
      ? []
      : [
          {
            level: 'problem' as const,
            about: 'instance',
            text: `the instance is ${running.state}`,
            fix: 'monohull status and monohull logs --level warn show why',
          },
        ]),
    ...unserved.map(
      ({ name, state }): Finding => ({
        level: 'warning',
        about: name,
        text: `${name} is ${state}`,
        fix: `monohull deaths ${name}, monohull logs --source ${name}`,
      }),
    ),
    ...(running.warnings ?? []).map((text): Finding => ({ level: 'warning', about: 'instance', text })),
    ...(running.certificates?.problems ?? []).map(
      (text): Finding => ({ level: 'warning', about: 'certificates', text, fix: 'monohull cert list' }),
    ),
  ]
}
