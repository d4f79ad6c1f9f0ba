import { findTimeZone } from '../../base/adapters/time-zone.ts'
import { type ProgramSources, type ProgramsKeys, resolveProgram } from '../settings.ts'
import { createSharedFindings } from '../shared-findings.ts'
import type { JobConfig } from './keys.ts'
import type { JobPlan, JobSettings } from './plan.ts'

/** Inputs to the plans of jobs. */
export interface JobSources extends Omit<ProgramSources, 'config'> {
  config: ProgramsKeys & { jobs: Readonly<Record<string, JobConfig>> }
}

/** Time from SIGTERM to SIGKILL after a timeout. */
const graceMs = 8000

const noPing = {}

/** Plans of the jobs on this machine. Problems go to `complain`, and a job with one is left out. */
export function resolveJobs(sources: JobSources): JobSettings {
  const { config, world, complain } = sources
  const { MONOHULL_JOBS: setting = 'on', TZ } = world.env
  if (setting !== 'on' && setting !== 'off')
    complain('MONOHULL_JOBS', setting, 'expected on or off', 'set MONOHULL_JOBS=off where no job may run by itself')
  // names of time zones take 5 MB of memory
  const isLocal = Object.values(config.jobs).some(({ timezone }) => timezone === undefined)
  const localZone = isLocal ? findTimeZone(TZ) : undefined
  const remember = createSharedFindings(complain)
  const shared = new Map<string, string>()
  /** One text for all jobs that have it: each would keep its own part of the file. */
  const share = (text: string) => {
    const known = shared.get(text) ?? text
    shared.set(known, known)
    return known
  }
  const jobs = Object.entries(config.jobs).flatMap(([name, item]): JobPlan[] => {
    const key = `jobs.${name}`
    const found = resolveProgram(key, item, { ...sources, remember })
    const timezone = item.timezone ?? localZone
    if (timezone === undefined)
      complain(
        `${key}.timezone`,
        TZ,
        'is not the name of a time zone',
        'set it, or TZ, to a name such as Europe/Berlin',
      )
    if (!found || timezone === undefined) return []
    return [
      {
        ...found,
        argv: found.argv.map(share),
        name,
        schedule: share(item.schedule.trim()),
        timezone: share(timezone),
        gracefulTimeoutMs: graceMs,
        timeoutMs: item.timeout,
        overlap: item.overlap,
        retries: item.retries,
        backoff: { initialMs: item.backoff.initial, maxMs: item.backoff.max },
        jitterMs: item.jitter,
        runsOnStart: item.on_start,
        catchesUp: item.catch_up,
        deadlineMs: item.deadline,
        isShared: item.once === 'cluster',
        onFailure: item.on_failure,
        ping: item.ping ?? noPing,
      },
    ]
  })
  return { jobs, areJobsOff: setting === 'off' }
}
