import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { CertificateStatus } from '../../../supervisor/certificates/status.ts'
import type { Status } from '../../../supervisor/run/status.ts'
import { metricsOf } from './status-metrics.ts'

const certificate: CertificateStatus = {
  names: ['example.com', 'www.example.com'],
  servesFor: ['example.com', '*'],
  source: 'acme',
  issuer: 'CN=Test CA',
  serial: '01',
  fingerprint: 'AB:CD',
  keyType: 'ecdsa',
  file: '/state/fullchain.pem',
  notBefore: '2026-11-01T00:00:00.000Z',
  notAfter: '2027-01-30T00:00:00.000Z',
  expiresIn: '70 days',
  remarks: [],
  renewal: { name: 'example.com', domains: ['example.com'], at: '2026-12-31T00:00:00.000Z', why: '', lastError: 'no' },
}
const worker = { slot: 1, pid: 43, uptimeSeconds: 7, isInRotation: true }
const status: Status = {
  pid: 42,
  state: 'ready',
  uptimeSeconds: 7,
  http: [],
  https: [],
  workers: [
    { ...worker, name: 'api.1', state: 'serving', restarts: 2, crashes: 0, replacements: 2 },
    { ...worker, name: 'api.2', state: 'waiting', restarts: 5, crashes: 4, replacements: 1 },
  ],
  scaled: [],
  upstreams: [],
  processes: [
    { name: 'queue.1', state: 'running', pid: 44, uptimeSeconds: 5, restarts: 1, crashes: 1, replacements: 0 },
  ],
  certificates: {
    served: [certificate, { ...certificate, servesFor: [], notAfter: '2026-11-30T00:00:00.000Z' }],
    awaited: [{ name: 'new.test', domains: ['new.test'], at: undefined, why: '', lastError: undefined }],
    problems: ['a "bad" file'],
  },
}

const linesOf = (text: string) => text.trimEnd().split('\n')
const samplesOf = (text: string) => linesOf(text).filter(line => !line.startsWith('#'))

describe('metrics of a run', () => {
  const text = metricsOf(status)

  it('are in the Prometheus format: each metric with its type before its samples, each sample once', () => {
    assert.ok(text.endsWith('\n'))
    const sample = /^([a-z_]+)(\{[a-z_]+="(?:[^"\\\n]|\\.)*"(?:,[a-z_]+="(?:[^"\\\n]|\\.)*")*\})? [\d.]+$/
    let described = ''
    for (const line of linesOf(text)) {
      described = /^# TYPE (\S+) (gauge|counter)$/.exec(line)?.[1] ?? described
      if (!line.startsWith('#')) assert.equal(sample.exec(line)?.[1], described, line)
    }
    const names = samplesOf(text).map(line => line.replace(/ \S+$/, ''))
    assert.equal(new Set(names).size, names.length)
  })

  it('include workers and processes', () => {
    for (const line of [
      'monohull_ready 1',
      'monohull_uptime_seconds 7',
      'monohull_workers{app="api",state="serving"} 1',
      'monohull_workers{app="api",state="waiting"} 1',
      'monohull_workers{app="api",state="booting"} 0',
      'monohull_worker_restarts_total{app="api",worker="api.2"} 5',
      'monohull_processes{process="queue",state="running"} 1',
      'monohull_worker_crashes_total{app="api",worker="api.2"} 4',
      'monohull_process_restarts_total{process="queue",worker="queue.1"} 1',
      'monohull_process_crashes_total{process="queue",worker="queue.1"} 1',
    ])
      assert.ok(samplesOf(text).includes(line), line)
  })

  it('include the served certificates and their renewal', () => {
    const labels = '{names="example.com,www.example.com",source="acme",key_type="ecdsa"}'
    const told = samplesOf(text).filter(line => line.startsWith('monohull_certificate'))
    assert.deepEqual(told, [
      `monohull_certificate_expiry_timestamp_seconds${labels} ${Date.UTC(2027, 0, 30) / 1000}`,
      `monohull_certificate_start_timestamp_seconds${labels} ${Date.UTC(2026, 10, 1) / 1000}`,
      `monohull_certificate_renewal_timestamp_seconds{name="example.com"} ${Date.UTC(2026, 11, 31) / 1000}`,
      'monohull_certificate_renewal_failed{name="example.com"} 1',
      'monohull_certificate_renewal_failed{name="new.test"} 0',
      'monohull_certificate_problems 1',
    ])
  })

  it('count certificates on demand, represented by the first to expire', () => {
    const one: CertificateStatus = { ...certificate, source: 'on-demand' }
    const two: CertificateStatus = {
      ...one,
      names: ['other.test'],
      notAfter: '2026-12-01T00:00:00.000Z',
      renewal: undefined,
    }
    const told = samplesOf(
      metricsOf({ ...status, certificates: { served: [one, two], awaited: [], problems: [] } }),
    ).filter(line => line.startsWith('monohull_certificate'))
    const labels = '{names="",source="on-demand",key_type="ecdsa"}'
    assert.deepEqual(told, [
      `monohull_certificate_expiry_timestamp_seconds${labels} ${Date.UTC(2026, 11, 1) / 1000}`,
      `monohull_certificate_start_timestamp_seconds${labels} ${Date.UTC(2026, 10, 1) / 1000}`,
      'monohull_certificates_on_demand 2',
      'monohull_certificates_on_demand_failing 1',
      'monohull_certificate_problems 0',
    ])
  })

  it('work without certificates and workers', () => {
    const bare = metricsOf({ ...status, state: 'not ready', workers: [], processes: [], certificates: undefined })
    assert.deepEqual(samplesOf(bare), ['monohull_ready 0', 'monohull_uptime_seconds 7'])
  })
})
