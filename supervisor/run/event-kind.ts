import type { LogFields } from '../base/log.ts'

/** Kinds of events, by which people filter them. */
export const eventKinds = [
  ...['run', 'worker', 'death', 'roll', 'reload', 'scale', 'process', 'job', 'hook', 'command'],
  ...['nginx', 'upstream', 'routes', 'certificate', 'maintenance', 'logs', 'other'],
] as const

/** Kind of an event. */
export type EventKind = (typeof eventKinds)[number]

/** Kinds by what a message says. The first that matches counts. */
const byMessage: readonly (readonly [RegExp, EventKind])[] = [
  [/^(worker|process|nginx) died|more requests in flight when it died|was in flight each time/, 'death'],
  [/^job |of a job\b/, 'job'],
  [/log files?\b|telemetry|syslog|^lines were dropped/, 'logs'],
  [/^reload |abandoned reload/, 'reload'],
  [/replaced$|^rolling restart|^restart failed|abandoned roll|^recycling/, 'roll'],
  [/^scaled |^scaling|^asleep|^waking|let an app sleep/, 'scale'],
  [/maintenance|paused|resumed/, 'maintenance'],
  [
    /^(starting|serving|stopping|stopped)$|^internal error|^the stop did not|run_dir|previous instance|^(status page|metrics|platform|variable|app) |^(status page|metrics)$|leads to an app|clock of this machine is/,
    'run',
  ],
  [/^hook /, 'hook'],
  [/^(init command|process) /, 'process'],
  [/^command /, 'command'],
  [/dynamic route|Redis/, 'routes'],
  [/certificate|challenge|\bCA\b|HSTS|ACME|on-demand|on_demand|names without/i, 'certificate'],
  [/\bserver\b.*(health|addresses)|server name|upstream/, 'upstream'],
  [/nginx workers|workers in nginx/, 'nginx'],
  [/worker|inspector|^profile |slot|retried/, 'worker'],
  [/nginx|static files|fallback file|cache/, 'nginx'],
]

/** Fields that name what an event is about, the most exact one first. */
const subjectFields = ['worker', 'process', 'hook', 'upstream', 'server', 'host', 'names', 'app', 'name', 'command']

/** Kind of the event that a message of the log reports. Messages are constant, so a part of one is enough. */
export function kindOf(message: string): EventKind {
  return byMessage.find(([pattern]) => pattern.test(message))?.[1] ?? 'other'
}

/** Name of what an event is about, such as `app.1`; undefined if it is about the whole run. */
export function subjectOf(fields: LogFields): string | undefined {
  const found = subjectFields.map(name => fields[name]).find(value => typeof value === 'string')
  return found as string | undefined
}
