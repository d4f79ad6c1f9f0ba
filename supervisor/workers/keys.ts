import * as z from 'zod'
import type { WithGrace } from '../config/grace.ts'
import {
  backoff,
  command,
  cronExpression,
  docs,
  duration,
  environment,
  optionalDuration,
  size,
  whole,
  workerCount,
} from '../config/values.ts'
import { listBalances } from '../nginx/balance.ts'
import { listProtocols, protocols } from '../nginx/protocol.ts'
import { after } from '../processes/after-key.ts'
import { exitAfter, onFailure, rejectUnusedExitAfter } from '../processes/failure-keys.ts'
import { stopSignal } from '../processes/stop-signal-key.ts'
import { appBalances } from './app-upstream.ts'
import { php } from './php/keys.ts'
import { describeProtocolProblems } from './protocol-problems.ts'

const workers = workerCount.prefault('auto').register(docs, {
  description:
    'Number of workers, each with a unix socket; auto: the CPUs that the cgroup grants, rounded up, or one PHP-FPM; {min, max}: scaled by load within these limits; {min: 0, max, idle}: after idle (default 10m) without requests, no worker runs until the next request',
})

/** Keys of an app. */
export const app = z
  .strictObject({
    command: command.optional().register(docs, {
      description:
        'What to run: a list of words, or one string split as a shell splits words (no shell runs it); a directory is served as static files, or with PHP-FPM if it contains index.php or public/index.php',
    }),
    directory: z.string({ error: 'expected a directory' }).min(1, 'expected a directory').default('.').register(docs, {
      description:
        'Working directory of the app, relative to the current one; also searched for monohull.yaml. Other relative paths are resolved against it',
    }),
    user: z
      .string({ error: 'expected the name of a user' })
      .min(1, 'expected the name of a user')
      .optional()
      .register(docs, {
        description:
          'User the app runs as if monohull was started as root; default: app, if such a user exists, and for PHP www-data',
      }),
    workers,
    after: after(
      'Processes and other apps that must be ready before its workers first start; requests wait meanwhile. A stop ends it before those processes. It is not restarted with them',
    ),
    listen: z.enum(['inherit', 'port'], { error: 'expected inherit or port' }).default('inherit').register(docs, {
      description:
        'How a worker gets its socket: inherit: as file descriptor 3 (Node apps need no change); port: its own TCP port, in $PORT',
    }),
    protocol: z
      .enum(protocols, { error: `expected ${listProtocols()}` })
      .default('http')
      .register(docs, {
        description:
          'Protocol that nginx speaks to the workers. http: HTTP/1.1; fastcgi: PHP-FPM; grpc: gRPC, by HTTP/2; uwsgi: that of uWSGI',
      }),
    php: php.optional(),
    balance: z
      .enum(appBalances, { error: `expected ${listBalances(appBalances)}` })
      .default('least_conn')
      .register(docs, {
        description:
          "Worker selection: least_conn: the worker with the fewest open requests; round_robin: the next one; ip_hash: by the client's address; sticky: the one named in the cookie monohull_APP, which is set with the first response (socket.io, sessions in memory)",
      }),
    keepalive: whole(0, 4096).default(128).register(docs, {
      description:
        "Idle connections that each nginx process keeps to the app's workers; 0 for servers without keep-alive, such as Gunicorn's sync worker",
    }),
    boot_timeout: duration('30s').register(docs, {
      description: 'Time to become ready; a worker that exceeds it is stopped and counts as failed',
    }),
    timeout: duration('30s', 0).register(docs, {
      description:
        'Time without a sign of life after which a ready worker is killed and restarted: a Node worker whose event loop is blocked, or any worker that does not respond to health.path; 0s: never',
    }),
    health: z
      .strictObject({
        path: z
          .string({ error: 'expected a path such as /health' })
          .regex(/^\/[A-Za-z0-9._~\-/]*$/, 'expected a path such as /health')
          .optional()
          .register(docs, {
            description:
              'Path to request from each worker directly, past nginx; any response is a sign of life. Workers of another protocol than http are probed in that, without a path',
          }),
        interval: duration('5s').register(docs, { description: 'Pause between two requests' }),
      })
      .optional(),
    stop_signal: stopSignal(),
    graceful_timeout: optionalDuration().register(docs, {
      description:
        'Time to finish requests after stop_signal, before SIGKILL to the process group; default: 8s, or what stop_timeout leaves',
    }),
    detached: z.enum(['report', 'end'], { error: 'expected report or end' }).default('report').register(docs, {
      description:
        'What happens to processes that a worker left behind in sessions of their own (setsid, daemons): report them in the log, or end them too',
    }),
    min_uptime: duration('2s', 0).register(docs, {
      description: 'A worker that ends sooner after it was ready has failed fast: backoff applies',
    }),
    backoff,
    reload: z
      .strictObject({
        surge: whole(1, 1024).optional().register(docs, {
          description:
            'Workers that a reload or a rolling restart replaces at the same time; each new one starts beside its old one; default: an eighth of them, at least 1',
        }),
      })
      .prefault({}),
    max_requests: whole(0, 1_000_000_000).default(0).register(docs, {
      description:
        'Requests after which a Node worker is replaced, once the new one is ready, or a process of PHP-FPM; 0: never',
    }),
    max_requests_jitter: whole(0, 1_000_000_000).default(0).register(docs, {
      description: 'Maximum number of requests that is added at random to the max_requests of each worker',
    }),
    max_memory: size.optional().register(docs, {
      description:
        "Resident memory of a worker's process group above which it is replaced, such as 512MB; default: never",
    }),
    max_age: duration('0s', 0).register(docs, {
      description: 'Age at which a worker is replaced, up to a tenth earlier at random; 0s: never',
    }),
    restart: cronExpression.optional().register(docs, {
      description:
        'Times at which all workers are replaced, as a cron expression in local time (TZ), such as 0 4 * * *',
    }),
    on_failure: onFailure("When a worker ends by itself: restart it, or stop everything with the worker's exit code"),
    exit_after: exitAfter(),
    env: environment,
  })
  .superRefine((value, context) => {
    rejectUnusedExitAfter(value, context)
    for (const issue of describeProtocolProblems(value)) context.addIssue({ code: 'custom', ...issue })
    if (value.listen === 'port' && value.env.PORT !== undefined) {
      const params = { fix: 'remove it, or set listen: inherit' }
      const message = 'is overridden by listen: port, which gives each worker its own port'
      context.addIssue({ code: 'custom', path: ['env', 'PORT'], message, params })
    }
    if (typeof value.workers === 'object' && value.workers.min === 0 && value.listen === 'port') {
      const params = { fix: 'set listen: inherit, or workers.min: 1' }
      const message = 'expected at least 1 beside listen: port: requests cannot wait at a port without a program'
      context.addIssue({ code: 'custom', path: ['workers', 'min'], message, params })
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

/** Configuration of one app. Durations in ms. */
export type AppConfig = WithGrace<z.output<typeof app>>
