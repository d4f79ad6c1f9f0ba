import * as z from 'zod'
import { cache, sendFiles } from './cache.ts'
import { compression } from './compression.ts'
import { describeFrontProblems } from './front-problems.ts'
import { gateKeys, limitKeys } from './limits.ts'
import { backgroundProcess, initItem } from './programs.ts'
import { responseHeaders } from './response-headers.ts'
import { describeRouteProblems, fallbackApp } from './route-problems.ts'
import { type Route, route, routeToApp } from './routes.ts'
import { describeTlsProblems, tls } from './tls.ts'
import { trustKeys } from './trust.ts'
import { upstream } from './upstreams.ts'
import {
  absolutePath,
  backoff,
  command,
  countOrAuto,
  cronExpression,
  docs,
  duration,
  environment,
  hook,
  hostName,
  httpPath,
  port,
  programName,
  size,
  whole,
  workerCount,
} from './values.ts'

/** No code is generated for a schema that is used once. */
z.config({ jitless: true })

const workers = workerCount.default('auto').register(docs, {
  description:
    'Workers of the app, one unix socket each; auto: as many as the CPUs that the cgroup grants, rounded up; {min, max}: by load, between these',
})

const app = z
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
      .enum(['least_conn', 'round_robin', 'ip_hash', 'sticky'], {
        error: 'expected least_conn, round_robin, ip_hash or sticky',
      })
      .default('least_conn')
      .register(docs, {
        description:
          "Which worker gets a request: least_conn: the one with the fewest open; round_robin: the next; ip_hash: by the client's address; sticky: the one that the cookie monohull_APP names, set with the first answer (socket.io, sessions in memory)",
      }),
    keepalive: z
      .number({ error: 'expected a whole number from 0 to 4096' })
      .int('expected a whole number from 0 to 4096')
      .min(0, 'expected a whole number from 0 to 4096')
      .max(4096, 'expected a whole number from 0 to 4096')
      .default(32)
      .register(docs, {
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
      .refine(({ path }) => path !== undefined, { path: ['interval'], error: 'expected health.path beside it' })
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
    on_failure: z.enum(['restart', 'exit'], { error: 'expected restart or exit' }).default('restart').register(docs, {
      description: "When a worker ends by itself: restart it, or stop everything with the worker's exit code",
    }),
    exit_after: z
      .strictObject({
        failures: z
          .number({ error: 'expected a whole number from 1 to 1000' })
          .int('expected a whole number from 1 to 1000')
          .min(1, 'expected a whole number from 1 to 1000')
          .max(1000, 'expected a whole number from 1 to 1000')
          .default(1)
          .register(docs, {
            description: 'With on_failure: exit, the number of failures that ends everything; fewer are restarted',
          }),
        within: duration('1m').register(docs, { description: 'The time in which that many failures have to come' }),
      })
      .optional(),
    env: environment,
  })
  .superRefine((value, context) => {
    if (value.exit_after && value.on_failure !== 'exit') {
      context.addIssue({ code: 'custom', path: ['exit_after'], message: 'expected on_failure: exit beside it' })
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

const hooks = z
  .strictObject({
    before_start: hook('when the ports are bound, before the first worker; when it fails, so does the start'),
    worker_ready: hook('when a worker became ready'),
    worker_exit: hook('when a worker has ended, whatever the cause'),
    before_reload: hook('before a reload changes anything; when it fails, the reload is abandoned'),
    after_reload: hook('after a reload that succeeded'),
    before_stop: hook('before a graceful stop, within the first half of stop_timeout'),
  })
  .prefault({})

/** The one source of keys, types, defaults, documentation, the JSON Schema and the messages for bad values. */
export const configSchema = z
  .strictObject({
    http_port: port('Port for HTTP', 80),
    https_port: port('Port for HTTPS', 443),
    https: z
      .enum(['redirect', 'on', 'off'], { error: 'expected redirect, on or off' })
      .default('redirect')
      .register(docs, { description: 'redirect: HTTPS, and HTTP answers 308 to it; on: both serve; off: HTTP only' }),
    public_https_port: z
      .number({ error: 'expected a port number' })
      .int('expected a whole port number')
      .min(1, 'expected a port from 1 to 65535')
      .max(65535, 'expected a port from 1 to 65535')
      .optional()
      .register(docs, {
        description:
          'HTTPS port that clients see, for redirects, where docker or a balancer maps another one; default: https_port',
      }),
    bind_addresses: z
      .array(z.union([z.ipv4(), z.ipv6()], { error: 'expected an IP address such as 127.0.0.1 or ::' }))
      .min(1, 'expected at least one IP address')
      .optional()
      .register(docs, { description: 'Addresses to listen on; default: all, IPv4 and, where the kernel has it, IPv6' }),
    server_names: z.array(hostName, { error: 'expected a list of host names' }).default([]).register(docs, {
      description:
        'Host names of this server beside those of routes, for its certificates where nothing else names them',
    }),
    ...trustKeys,
    http3: z.boolean({ error: 'expected true or false' }).default(false).register(docs, {
      description: 'HTTP/3 beside HTTP/2, on the UDP port of the same number; a reload ends its open connections',
    }),
    compression,
    ...limitKeys,
    ...gateKeys,
    headers: responseHeaders,
    cache,
    send_files: sendFiles,
    app: app.optional(),
    apps: z
      .record(programName, app, { error: 'expected names with the keys of an app each' })
      .optional()
      .register(docs, {
        description: 'Several apps by name, each with the keys of `app`, which is short for `apps: {app: …}`',
      }),
    init: z.array(initItem, { error: 'expected a list of commands' }).default([]).register(docs, {
      description:
        'Commands that run to their end, in this order, before anything else starts, such as migrations; one that fails ends the start with its code. A reload does not run them',
    }),
    processes: z
      .record(programName, backgroundProcess, { error: 'expected names with {command: …} each' })
      .default({})
      .register(docs, { description: 'Processes without a socket, such as queue consumers, by name' }),
    routes: z
      .array(route, { error: 'expected a list of routes, such as {path: /api, app: api}' })
      .min(1, 'expected at least one route')
      .optional()
      .register(docs, {
        description:
          'What answers which requests: exact paths first, then regular expressions, then the longest prefix; a host goes before none. Default: everything goes to the only app, else to web, else to app',
      }),
    hooks,
    upstreams: z
      .record(programName, upstream, { error: 'expected names with the keys of an upstream each' })
      .default({})
      .register(docs, { description: 'Servers elsewhere by name, for routes to lead to' }),
    tls,
    health: z
      .strictObject({
        live_path: httpPath(
          'Path that answers 200 while the supervisor and nginx are alive; off leaves it to the app',
          '/healthz',
        ),
        ready_path: httpPath(
          'Path that answers 200 while each app that a route leads to has a ready worker and nothing drains, else 503; off leaves it to the app',
          '/readyz',
        ),
      })
      .superRefine((value, context) => {
        if (value.live_path === value.ready_path && value.live_path !== 'off') {
          context.addIssue({
            code: 'custom',
            path: ['ready_path'],
            message: 'expected another path than health.live_path',
          })
        }
      })
      .prefault({}),
    nginx: z
      .strictObject({
        worker_processes: countOrAuto(512)
          .default('auto')
          .register(docs, { description: 'nginx worker processes; auto: as many as the CPUs that the cgroup grants' }),
        config: z
          .string({ error: 'expected a file' })
          .regex(/^[^\0]+$/, 'expected a file')
          .optional()
          .register(docs, {
            description:
              "The user's own file in place of nginx.conf, relative to the app's directory; it has to include rendered/main.conf and, in its http block, rendered/http.conf",
          }),
        snippets: z.string({ error: 'expected a folder' }).min(1, 'expected a folder').default('nginx').register(docs, {
          description: "Folder with the user's own http.d/*.conf and server.d/*.conf, relative to the app's directory",
        }),
      })
      .prefault({}),
    maintenance_page: z
      .string({ error: 'expected the path of an HTML file' })
      .refine(path => path !== '' && !path.includes('\0'), 'expected the path of an HTML file')
      .optional()
      .register(docs, {
        description:
          "HTML file, relative to the app's directory, that visitors get with 502, 503 and 504 while no worker answers; read at the start and at each reload; default: a page of monohull's own",
      }),
    access_log: z
      .boolean({ error: 'expected true or false' })
      .default(true)
      .register(docs, { description: "Whether nginx writes a line per request to the container's stdout" }),
    log_format: z
      .enum(['text', 'json', 'short'], { error: 'expected text, json or short' })
      .default('text')
      .register(docs, {
        description: 'Format of every log line; short: time of day, source and text, for a person at a terminal',
      }),
    log_level: z
      .enum(['debug', 'info', 'warn', 'error'], { error: 'expected debug, info, warn or error' })
      .default('info')
      .register(docs, { description: "Least severe of monohull's own lines that is written" }),
    stop_delay: duration('0s', 0).register(docs, {
      description: 'Pause between readiness going off and the stop, for load balancers to notice',
    }),
    stop_timeout: duration('9s').register(docs, {
      description: 'Time for the whole of a stop; below the 10 s that docker stop waits',
    }),
    run_dir: absolutePath
      .default('/run/monohull')
      .register(docs, { description: 'Sockets, rendered configuration, records of running processes' }),
    state_dir: absolutePath.default('/var/lib/monohull').register(docs, {
      description: 'What outlives a restart: certificates that monohull made or obtained, and the account with the CA',
    }),
    cert_dir: absolutePath.default('/certs').register(docs, { description: 'Where certificates are mounted' }),
  })
  .superRefine((value, context) => {
    for (const { path, message } of describeTlsProblems(value)) context.addIssue({ code: 'custom', path, message })
    if (value.http_port === value.https_port && value.http_port !== 0 && value.https !== 'off') {
      context.addIssue({ code: 'custom', path: ['https_port'], message: 'expected another port than http_port' })
    }
    for (const issue of describeFrontProblems(value)) context.addIssue({ code: 'custom', ...issue })
    if (value.stop_delay >= value.stop_timeout) {
      context.addIssue({
        code: 'custom',
        path: ['stop_delay'],
        message: 'expected less than stop_timeout, of which it is a part',
      })
    }
    for (const [path, one] of [
      [['app'], value.app] as const,
      ...Object.entries(value.apps ?? {}).map(([name, one]) => [['apps', name], one] as const),
    ]) {
      if (
        !one ||
        value.stop_delay >= value.stop_timeout ||
        one.graceful_timeout <= value.stop_timeout - value.stop_delay
      )
        continue
      context.addIssue({
        code: 'custom',
        path: [...path, 'graceful_timeout'],
        message: 'expected at most stop_timeout less stop_delay',
        params: { fix: 'lower it, or raise stop_timeout and the time that docker stop waits' },
      })
    }
    if (value.app && value.apps) context.addIssue({ code: 'custom', path: ['app'], ...besideApps(value.apps) })
    // what an issue was found in was not transformed
    const routes = value.routes?.map(own => ('target' in own ? own : undefined))
    const names = Object.keys(value.apps ?? (isAppNeeded({ app: value.app, routes }) ? { app: value.app } : {}))
    if (value.apps && names.length === 0)
      context.addIssue({ code: 'custom', path: ['apps'], message: 'expected at least one app' })
    for (const name of Object.keys(value.processes)) {
      if (!names.includes(name)) continue
      const params = { fix: 'give one of the two another name' }
      context.addIssue({ code: 'custom', path: ['processes', name], message: 'is the name of an app too', params })
    }
    for (const issue of describeRouteProblems(routes, {
      ...value,
      apps: names,
      upstreams: Object.keys(value.upstreams),
    }))
      context.addIssue({ code: 'custom', ...issue })
  })
  .transform(({ app: only, apps, routes, ...rest }) => {
    const all = apps ?? (isAppNeeded({ app: only, routes }) ? { app: only ?? app.parse({}) } : {})
    const [first, ...others] = Object.values(all)
    const directory = (others.length === 0 ? (first ?? only) : undefined)?.directory ?? '.'
    const given = routes?.map((own, index) => ({ ...own, origin: `routes[${index}]` }))
    return { ...rest, directory, apps: all, routes: given ?? [routeToApp(fallbackApp(Object.keys(all)) ?? '')] }
  })

/** Where routes lead elsewhere only, there is an app when it is said what to run: without a command it would be the welcome. */
function isAppNeeded({
  app: only,
  routes,
}: {
  app?: AppConfig | undefined
  routes?: (Route | undefined)[] | undefined
}): boolean {
  return only?.command !== undefined || (routes?.some(one => one === undefined || one.target.kind === 'app') ?? true)
}

/** What sets a key of the app `app` where the apps have other names. */
function besideApps(apps: Record<string, unknown>): { message: string; params: { fix: string } } {
  const [name = 'web'] = Object.keys(apps)
  const variable = `MONOHULL_APPS_${name.toUpperCase().replaceAll('-', '_')}_…`
  return {
    message: 'configures the app named app, and apps names others',
    params: { fix: `set apps.${name}.… in the file, or ${variable}; a flag or a command goes with one app only` },
  }
}

/** The validated configuration, with `app` as one of `apps`, at least one route, and the folder that other paths start at. Durations are in milliseconds. */
export type Config = z.output<typeof configSchema>
