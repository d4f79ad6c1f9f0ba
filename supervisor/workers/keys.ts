import * as z from 'zod'
import {
  backoff,
  command,
  cronExpression,
  docs,
  duration,
  environment,
  size,
  whole,
  workerCount,
} from '../config/values.ts'
import { listBalances } from '../nginx/balance.ts'
import { exitAfter, onFailure, refuseIdleExitAfter } from '../processes/failure-keys.ts'
import { appBalances } from './upstream.ts'

const workers = workerCount.default('auto').register(docs, {
  description:
    'Workers of the app, one unix socket each; auto: as many as the CPUs that the cgroup grants, rounded up; {min, max}: by load, between these',
})

/** The keys of an app. */
export const app = z
  .strictObject({
    command: command.optional().register(docs, {
      description:
        'What to run: a list of words, or one string split as a shell splits words (no shell runs it); a folder is served as static files',
    }),
    directory: z
      .string({ error: 'expected a folder' })
      .min(1, 'expected a folder')
      .default('.')
      .register(docs, { description: 'Working directory of the app, and where monohull.yaml is looked for' }),
    user: z
      .string({ error: 'expected the name of a user' })
      .min(1, 'expected the name of a user')
      .optional()
      .register(docs, {
        description: 'User the app runs as when monohull was started as root; default: app, where such a user exists',
      }),
    workers,
    listen: z.enum(['inherit', 'port'], { error: 'expected inherit or port' }).default('inherit').register(docs, {
      description:
        'How a worker gets its socket: inherit: as file descriptor 3 (Node apps need no change); port: a TCP port of its own in $PORT',
    }),
    balance: z
      .enum(appBalances, { error: `expected ${listBalances(appBalances)}` })
      .default('least_conn')
      .register(docs, {
        description:
          "Which worker gets a request: least_conn: the one with the fewest open; round_robin: the next; ip_hash: by the client's address; sticky: the one that the cookie monohull_APP names, set with the first answer (socket.io, sessions in memory)",
      }),
    keepalive: whole(0, 4096).default(128).register(docs, {
      description:
        "Idle connections that each nginx process keeps to the app's workers; 0 for servers without keep-alive such as Gunicorn's sync worker",
    }),
    boot_timeout: duration('30s').register(docs, {
      description: 'A worker that does not listen within this time is stopped and counted as failed',
    }),
    timeout: duration('30s', 0).register(docs, {
      description:
        'A ready worker that gives no sign of life for this long hangs, and is killed and restarted: a Node worker whose event loop is blocked, any worker that does not answer health.path; 0s: never',
    }),
    health: z
      .strictObject({
        path: z
          .string({ error: 'expected a path such as /health' })
          .regex(/^\/[A-Za-z0-9._~\-/]*$/, 'expected a path such as /health')
          .optional()
          .register(docs, {
            description: 'Path that each worker is asked for, past nginx; any answer is a sign of life',
          }),
        interval: duration('5s').register(docs, { description: 'Pause between two questions' }),
      })
      .refine(({ path }) => path !== undefined, { path: ['path'], error: 'expected a path such as /health' })
      .optional(),
    graceful_timeout: duration('8s').register(docs, {
      description: 'Time to finish requests in after SIGTERM, before SIGKILL to the process group',
    }),
    min_uptime: duration('2s', 0).register(docs, {
      description: 'A worker that ends sooner after it was ready has failed fast: backoff applies',
    }),
    backoff,
    reload: z
      .strictObject({
        surge: whole(1, 1024).default(1).register(docs, {
          description:
            'Workers that a reload or a rolling restart replaces at the same time, each new one beside its old one',
        }),
      })
      .prefault({}),
    max_requests: whole(0, 1_000_000_000).default(0).register(docs, {
      description: 'Requests after which a Node worker is replaced, the new one ready first; 0: never',
    }),
    max_requests_jitter: whole(0, 1_000_000_000)
      .default(0)
      .register(docs, { description: 'Each worker draws its own limit: max_requests and up to this many more' }),
    max_memory: size.optional().register(docs, {
      description:
        "Resident memory of a worker's process group above which it is replaced, such as 512MB; default: never",
    }),
    max_age: duration('0s', 0).register(docs, {
      description: 'Age at which a worker is replaced, each up to a tenth sooner at random; 0s: never',
    }),
    restart: cronExpression.optional().register(docs, {
      description: 'When all workers are replaced, as a cron expression in local time (TZ), such as 0 4 * * *',
    }),
    on_failure: onFailure("When a worker ends by itself: restart it, or stop everything with the worker's exit code"),
    exit_after: exitAfter(),
    env: environment,
  })
  .superRefine((value, context) => {
    refuseIdleExitAfter(value, context)
    if (value.listen === 'port' && value.env.PORT !== undefined) {
      const params = { fix: 'leave it out, or set listen: inherit' }
      const message = 'is overridden by listen: port, which gives each worker a port of its own'
      context.addIssue({ code: 'custom', path: ['env', 'PORT'], message, params })
    }
    if (value.max_requests_jitter > value.max_requests) {
      context.addIssue({ code: 'custom', path: ['max_requests_jitter'], message: 'expected at most max_requests' })
    }
    if (value.health && value.timeout === 0) {
      context.addIssue({ code: 'custom', path: ['health'], message: 'expected a timeout above 0s beside it' })
    }
    if (value.max_age > 0 && value.max_age < value.min_uptime) {
      context.addIssue({ code: 'custom', path: ['max_age'], message: 'expected at least min_uptime' })
    }
    if (value.backoff.initial > value.backoff.max) {
      context.addIssue({ code: 'custom', path: ['backoff', 'initial'], message: 'expected at most backoff.max' })
    }
  })

/** The configuration of one app. Durations are in milliseconds. */
export type AppConfig = z.output<typeof app>
