import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { diagnose } from '../../../supervisor/run/diagnosis/diagnosis.ts'
import type { DiagnosisFacts } from '../../../supervisor/run/diagnosis/facts.ts'
import type { DiagnosedSettings } from '../../../supervisor/run/diagnosis/finding.ts'
import type { Status } from '../../../supervisor/run/status.ts'

const mb = 2 ** 20
const now = Date.parse('2026-11-30T03:00:00Z')

const running: Status = {
  ...{ pid: 1, state: 'ready', uptimeSeconds: 9, http: [], https: [], scaled: [], processes: [], upstreams: [] },
  workers: [],
}

/** A container without a fault. */
const healthy: DiagnosisFacts = {
  surroundings: 'container',
  platform: undefined,
  cpus: 2,
  memory: { limit: 512 * mb, used: 100 * mb },
  workerMemory: new Map(),
  transience: undefined,
  disks: [{ key: 'run_dir', path: '/run', freeBytes: 900 * mb, bytes: 1000 * mb, freeFiles: 0, files: 0 }],
  openFiles: 65_536,
  clock: { now, passed: { time: now - 1000, evidence: '/opt/x' } },
  authority: undefined,
  names: [],
  running,
}

const config = {
  ...{ stop_timeout: 9000, stop_delay: 0, https: 'redirect', http_port: 80, https_port: 443, state_dir: '/var/lib/m' },
  ...{ tls: {}, nginx: { worker_connections: 'auto' } },
}

interface Change {
  config?: object
  facts?: Partial<DiagnosisFacts>
  workers?: number
  maxMemory?: number
  perWorker?: number
}

/** Findings of problems and warnings, each as level, subject and fix. */
function found({ config: changed = {}, facts = {}, workers = 2, maxMemory = 0, perWorker = 8192 }: Change): string[] {
  const settings = {
    config: { ...config, ...changed },
    apps: [{ name: 'app', plan: { count: workers, recycle: { maxMemoryBytes: maxMemory } } }],
    nginxConnections: { perWorker, openFiles: 0 },
    nginxProcesses: 2,
  } as unknown as DiagnosedSettings
  return diagnose(settings, { ...healthy, ...facts })
    .filter(({ level }) => level !== 'note')
    .map(({ level, about, text, fix }) => `${level} ${about}: ${text}; fix: ${fix}`)
}

const cases: [string, Change, RegExp][] = [
  [
    'a stop that docker cuts off',
    { config: { stop_timeout: 20_000 } },
    /stop_timeout: .*20s.*docker stop.*--stop-timeout 21/,
  ],
  [
    'a stop that Kubernetes cuts off',
    { config: { stop_timeout: 30_000, stop_delay: 5000 }, facts: { surroundings: 'kubernetes' } },
    /terminationGracePeriodSeconds: 31/,
  ],
  ['no delay in Kubernetes', { facts: { surroundings: 'kubernetes' } }, /stop_delay: .*fix: stop_delay: 5s/],
  ['no memory limit', { facts: { memory: { limit: undefined, used: 1 } } }, /no memory limit.*docker run --memory/],
  [
    'workers that may grow beyond the limit',
    { maxMemory: 300 * mb },
    /max_memory: .*600 MB.*512 MB.*fix: lower max_memory/,
  ],
  [
    'nearly no memory left',
    { facts: { memory: { limit: 512 * mb, used: 500 * mb } } },
    /problem memory: 500 MB of 512 MB/,
  ],
  ['many workers on few CPUs', { workers: 9 }, /workers: 9 workers share 2 CPUs.*fix: workers: auto/],
  [
    'a state_dir without a volume',
    { facts: { transience: "is in the container's own layer" } },
    /warning state_dir.*local CA.*-v monohull-state:\/var\/lib\/m/,
  ],
  [
    'certificates of a CA without a volume',
    { config: { tls: { acme: {} } }, facts: { transience: 'is in memory' } },
    /problem state_dir: .*is in memory.*certificates/,
  ],
  [
    'a clock that is behind',
    { facts: { clock: { now, passed: { time: now + 90_000, evidence: '/opt/x' } } } },
    /problem clock: .*\/opt\/x is of/,
  ],
  [
    'a clock that differs from the CA',
    { facts: { authority: { url: 'https://ca', aheadMs: -120_000, problem: undefined } } },
    /2m ahead of that of https:\/\/ca/,
  ],
  [
    'a CA that cannot be reached',
    { facts: { authority: { url: 'https://ca', aheadMs: undefined, problem: 'ENOTFOUND' } } },
    /tls\.acme\.directory: cannot reach/,
  ],
  [
    'a domain without DNS',
    { facts: { names: [{ name: 'a.test', key: 'tls.acme.domains', problem: 'ENOTFOUND' }] } },
    /a\.test does not resolve.*docker run --dns/,
  ],
  [
    'a disk that is nearly full',
    {
      facts: {
        disks: [{ key: 'state_dir', path: '/s', freeBytes: 10 * mb, bytes: 1000 * mb, freeFiles: 9, files: 10 }],
      },
    },
    /warning state_dir: .*10 MB of 1000 MB left.*state_dir on a larger/,
  ],
  [
    'a disk without inodes',
    {
      facts: {
        disks: [{ key: 'run_dir', path: '/s', freeBytes: 900 * mb, bytes: 1000 * mb, freeFiles: 0, files: 1000 }],
      },
    },
    /problem run_dir: .*0 of 1000 inodes/,
  ],
  [
    'few open files',
    { perWorker: 640, facts: { openFiles: 1024 } },
    /descriptors: .*1024 files.*640 connections.*--ulimit nofile/,
  ],
  [
    'loopback in a container',
    { config: { bind_addresses: ['127.0.0.1', '::1'] } },
    /problem bind_addresses: .*-p 127\.0\.0\.1:80:80/,
  ],
  [
    'redirects to another port',
    { config: { https_port: 8443 } },
    /public_https_port: .*port 8443.*public_https_port: 443/,
  ],
  [
    'an instance that is not ready',
    { facts: { running: { ...running, state: 'not ready' } } },
    /problem instance: the instance is not ready/,
  ],
  ['a warning of the instance', { facts: { running: { ...running, warnings: ['old'] } } }, /warning instance: old/],
  [
    'a worker that waits after failures',
    {
      facts: {
        running: {
          ...running,
          workers: [
            {
              ...{ name: 'app.1', slot: 1, state: 'waiting', pid: undefined, uptimeSeconds: undefined },
              ...{ isInRotation: false, restarts: 3, crashes: 3, replacements: 0 },
            },
          ],
        },
      },
    },
    /warning app\.1: app\.1 is waiting; fix: monohull deaths app\.1/,
  ],
]

describe('run/diagnosis', () => {
  it('finds nothing where nothing is wrong', () => assert.deepEqual(found({}), []))

  for (const [name, change, expected] of cases)
    it(`finds ${name}, and only that, with its fix`, () => {
      const findings = found(change)
      assert.equal(findings.length, 1, findings.join('\n'))
      assert.match(findings[0] ?? '', expected)
    })

  it('does not take a host for a container, nor a platform for docker', () => {
    const wrong = { stop_timeout: 60_000, bind_addresses: ['127.0.0.1'] }
    const facts = { memory: { limit: undefined, used: undefined }, transience: 'is in memory' }
    assert.deepEqual(found({ config: wrong, facts: { ...facts, surroundings: 'host' } }), [])
    assert.deepEqual(found({ config: { stop_timeout: 29_000 }, facts: { platform: 'render' } }), [])
  })

  it('begins with the most severe', () => {
    const levels = found({ config: { stop_timeout: 20_000, bind_addresses: ['::1'] } }).map(text => text.split(' ')[0])
    assert.deepEqual(levels, ['problem', 'warning'])
  })
})
