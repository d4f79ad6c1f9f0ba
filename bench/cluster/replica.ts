import { randomUUID } from 'node:crypto'
import { systemClock, systemRandom } from '../../supervisor/base/adapters/system-clock.ts'
import { createLog, type Log } from '../../supervisor/base/log.ts'
import { type AcmeRecord, specOf } from '../../supervisor/certificates/acme/plan.ts'
import { planRenewal } from '../../supervisor/certificates/acme/renewal.ts'
import { createSharedCertificates } from '../../supervisor/certificates/acme/shared/certificates.ts'
import { shareMaintenance } from '../../supervisor/front/maintenance/shared.ts'
import type { Output } from '../../supervisor/logs/adapters/output.ts'
import { createSpawn } from '../../supervisor/processes/adapters/spawn.ts'
import type { JobPlan } from '../../supervisor/programs/jobs/plan.ts'
import { createJobService } from '../../supervisor/programs/jobs/service.ts'
import { createSharedJobStore } from '../../supervisor/programs/jobs/shared-store.ts'
import { sharedClock, sharedJobs } from '../../supervisor/programs/jobs/sharing.ts'
import { introduction } from '../../supervisor/run/cluster.ts'
import { type OpenSharedState, openSharedState } from '../../supervisor/shared-state/open.ts'
import { certificate, createCertificateStore, plan, settings } from './certificate-store.ts'

const minuteMs = 60_000
const secret = 'a-secret-of-the-bench-0123456789abcdef'
const prefix = 'bench:'

/** Shared state of a replica or a probe. */
export function openState(url: string, log: Log): OpenSharedState {
  return openSharedState({ clock: systemClock, log, random: systemRandom }, { url, prefix, secret, lease: 15_000 })
}

/** Log that keeps warnings and errors. */
export function createQuietLog(onLine: (line: string) => void): Log {
  return createLog({ format: 'text', level: 'warn', now: systemClock.now, write: onLine })
}

/** Events of the simulated replicas. */
export interface ReplicaListener {
  log: Log
  /** Output of jobs. */
  output: Output
  onMaintenance(isOn: boolean): void
  onCertificate(): void
}

/** Replica without nginx and workers: everything that it says to Redis is said by the modules of the product. */
export interface Replica {
  state: OpenSharedState
  /** Asks when to renew the certificate, as each replica does every six hours. Nothing, if another one does so now. */
  checkRenewal(): Promise<void>
  setMaintenance(isOn: boolean): Promise<unknown>
  /** Makes a job due at these times of a cron expression; undefined: there is none. */
  setJob(schedule: string | undefined): Promise<void>
  close(): Promise<void>
}

/** Opens a replica. */
export function openReplica(url: string, number: number, listener: ReplicaListener): Replica {
  const { log, output } = listener
  const clock = systemClock
  const state = openState(url, log)
  const startedAt = clock.now()
  const time = new Date(startedAt).toISOString()
  const events = { read: () => Array.from({ length: 3 }, () => ({ time, message: 'worker ready', subject: 'app.1' })) }
  const host = `shop-5d8f9c7b6d-${String(number).padStart(5, '0')}`
  const instance = number.toString(16).padStart(8, '0')
  state.introduce(() =>
    introduction({
      ...{ host, instance, version: '1.0.0', startedAt, now: clock.now() },
      status: { state: 'ready', workers: [] },
      events: events as never,
    }),
  )

  let isOn = false
  const set = (next: boolean) => {
    isOn = next
    listener.onMaintenance(next)
    return { ok: true, message: '' } as const
  }
  const maintenance = shareMaintenance(
    {
      turnOn: () => set(true),
      turnOff: () => set(false),
      adopt: next => void set(next !== undefined),
      status: () => (isOn ? { maintenance: { since: time, allow: [] } } : {}),
    },
    state,
  )

  const first: AcmeRecord = {
    ...{ spec: specOf(plan, settings), issued: certificate.id, failures: 0, retryAt: 0, lastError: undefined },
    ...{ renewal: undefined, pendingOrder: undefined, published: undefined, failedBy: undefined, means: undefined },
  }
  const store = createCertificateStore(first, listener.onCertificate)
  const certificates = createSharedCertificates({
    ...{ state, clock, log, store, settings, prefix: 'acme/configured/' },
    onNews: async () => {},
  })
  certificates.sync(settings.plans).catch(() => {})

  const jobs = createJobService(
    {
      clock: sharedClock(clock, state),
      log,
      random: systemRandom,
      spawn: createSpawn({
        ...{ stdout: output, stderr: output, format: 'text', now: clock.now, umask: 0o22 },
        onChange() {},
      }),
      leftovers: { find: () => [], signal() {} },
      oomWatch: { judge: exit => exit, limit: () => undefined },
      store: createSharedJobStore(state),
      owner: `${host}#${state.id}`,
      newId: randomUUID,
      offsetIn: () => () => 0,
      ping: async () => {},
      endRun() {},
      shared: sharedJobs(state),
    },
    { jobs: [], areJobsOff: false },
  )

  return {
    state,
    async checkRenewal() {
      const known = store.version(plan.name)
      const claim = await certificates.claim(plan)
      if (!claim) return
      try {
        // another one has asked meanwhile
        if (store.version(plan.name) !== known) return
        const record = store.record(plan.name) ?? first
        const renewal = planRenewal({
          ...{ certificate, previous: record.renewal, info: undefined },
          ...{ now: clock.now(), random: systemRandom() },
        })
        store.saveRecord(plan.name, { ...record, renewal })
        await claim.share?.()
      } finally {
        await claim.release()
      }
    },
    setMaintenance: async next =>
      next ? maintenance.turnOn({ allow: [], message: undefined }) : maintenance.turnOff(),
    setJob: schedule => jobs.adopt({ jobs: schedule === undefined ? [] : [jobOf(schedule)], areJobsOff: false }),
    async close() {
      jobs.quiesce()
      maintenance.quiesce()
      certificates.close()
      await jobs.stop({ leftMs: () => 0 } as never)
      await state.close()
    },
  }
}

function jobOf(schedule: string): JobPlan {
  return {
    ...{ name: 'report', argv: ['true'], directory: '/', uid: undefined, gid: undefined },
    env: { PATH: process.env.PATH ?? '' },
    ...{ schedule, timezone: 'UTC', gracefulTimeoutMs: 1000, timeoutMs: minuteMs, overlap: 'skip', retries: 0 },
    backoff: { initialMs: 1000, maxMs: 1000 },
    ...{ jitterMs: 0, runsOnStart: false, catchesUp: false, deadlineMs: minuteMs, isShared: true },
    ...{ onFailure: 'log', ping: {} },
  }
}
