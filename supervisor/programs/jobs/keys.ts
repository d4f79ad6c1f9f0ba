import * as z from 'zod'
import { isTimeZone } from '../../base/adapters/time-zone.ts'
import { nearest } from '../../base/nearest.ts'
import { command, cronExpressionWithSeconds, docs, duration, whole } from '../../config/values.ts'
import { directory, user, variables } from '../keys.ts'

/** Longest time of a timer: 2³¹ ms, in whole days. */
const longestMs = 24 * 86_400_000

const timer = (defaultText: string, minimumMs = 1) =>
  duration(defaultText, minimumMs).refine((ms: number) => ms <= longestMs, 'expected at most 24d')

/** Name of a time zone. Each is looked up once: it takes 30 KB, which for a thousand jobs the system would not get back. */
function timeZone() {
  const known = new Set<string>()
  return z.string({ error: 'expected a time zone such as Europe/Berlin' }).superRefine((zone, context) => {
    if (known.has(zone)) return
    if (isTimeZone(zone)) return void known.add(zone)
    const guess = nearest(zone, Intl.supportedValuesOf('timeZone'))
    const params = guess === undefined ? {} : { fix: `did you mean ${guess}?` }
    context.addIssue({ code: 'custom', message: 'expected a time zone such as Europe/Berlin or UTC', params })
  })
}

const timezone = timeZone()
  .optional()
  .register(docs, { description: "Time zone of the schedule; default: the container's (TZ)" })

const address = (when: string) =>
  z
    .string({ error: 'expected a URL such as https://hc-ping.com/…' })
    .refine(isHttpUrl, 'expected a URL with http or https')
    .optional()
    .register(docs, { description: `URL to request (GET) after a ${when} run` })

/** Value of an entry of `jobs`. */
export const job = z.strictObject({
  schedule: cronExpressionWithSeconds.describe(
    'Times as in crontab(5): minute, hour, day of the month, month, day of the week, with the second as a further field before them if there are six; or @hourly, @daily, @weekly, @monthly, @yearly. If both kinds of days are restricted, either is enough',
  ),
  timezone,
  command: command.describe('What to run: a list of words, or one string split as a shell splits words'),
  directory,
  user,
  env: variables,
  timeout: timer('1d').register(docs, {
    description: 'Time limit of each attempt: TERM, and 8 s later KILL to the process group',
  }),
  overlap: z
    .enum(['skip', 'queue', 'replace'], { error: 'expected skip, queue or replace' })
    .default('skip')
    .register(docs, {
      description:
        'When it is due while its last run goes on: skip it, run it once afterwards, or stop the last run and start',
    }),
  retries: whole(0, 100).default(0).register(docs, { description: 'Further attempts after a failed one' }),
  backoff: z
    .strictObject({
      initial: timer('10s').register(docs, {
        description: 'Delay before the first retry; doubles with each further one',
      }),
      max: timer('5m').register(docs, { description: 'Longest delay before a retry' }),
    })
    .refine(({ initial, max }: { initial: number; max: number }) => initial <= max, 'expected initial of at most max')
    .prefault({}),
  jitter: timer('0s', 0).register(docs, {
    description: 'Longest random delay before a scheduled run, so that not everything starts at the full hour',
  }),
  on_start: z.boolean({ error: 'expected true or false' }).default(false).register(docs, {
    description: 'Whether it also runs once at each startup, when requests are served',
  }),
  catch_up: z.boolean({ error: 'expected true or false' }).default(false).register(docs, {
    description:
      'Whether it runs once after runs were missed because Monohull was not running or the clock was set forward',
  }),
  deadline: duration('1d').register(docs, {
    description: 'With catch_up: longest time after the last missed run in which it is made up',
  }),
  on_failure: z.enum(['log', 'exit'], { error: 'expected log or exit' }).default('log').register(docs, {
    description: 'When its last attempt has failed: log it, or stop everything with its exit code',
  }),
  ping: z
    .strictObject({
      success: address('successful'),
      failure: address('failed'),
    })
    .optional()
    .meta({ secret: true }),
  once: z.literal('cluster', { error: 'expected cluster' }).optional().register(docs, {
    description: 'cluster: each run is for one of all instances with the same shared_state; default: for each of them',
  }),
})

/** Jobs with keys that contradict `once: cluster`. */
export function describeJobProblems(config: {
  shared_state?: object | undefined
  jobs: Readonly<Record<string, z.output<typeof job> | undefined>>
}) {
  return Object.entries(config.jobs).flatMap(([name, item]) => {
    if (item?.once === undefined) return []
    const issue = (key: string, message: string, fix: string) => ({
      path: ['jobs', name, key],
      message,
      params: { fix },
    })
    return [
      ...(config.shared_state
        ? []
        : [
            issue(
              'once',
              'needs shared_state, in which the instances agree',
              'set shared_state.url, or MONOHULL_JOBS=off on all instances but one',
            ),
          ]),
      ...(item.overlap === 'skip' ? [] : [issue('overlap', 'cannot be used with once: cluster', 'remove it')]),
      ...(item.on_start ? [issue('on_start', 'cannot be used with once: cluster', 'remove it')] : []),
    ]
  })
}

function isHttpUrl(text: string): boolean {
  return /^https?:\/\/[^\s]+$/.test(text) && URL.canParse(text)
}

/** Configured job. Durations in ms. */
export type JobConfig = z.output<typeof job>
