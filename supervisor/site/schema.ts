import * as z from 'zod'
import { describeHstsProblems } from '../certificates/hsts/keys.ts'
import { describeTlsProblems, issuedKeys, tlsKeys } from '../certificates/keys.ts'
import { withGrace } from '../config/grace.ts'
import { platformNames } from '../config/platform.ts'
import {
  absolutePath,
  docs,
  duration,
  hostName,
  optionalPort,
  port,
  programName,
  statePath,
  writtenDirectory,
} from '../config/values.ts'
import { admin } from '../dashboard/keys.ts'
import { describeDynamicRouteProblems, dynamicRoutes } from '../dynamic-routes/keys.ts'
import { cache, sendFiles } from '../front/cache/keys.ts'
import { clientCertificates, describeClientCertificateProblems } from '../front/client-certificate-keys.ts'
import { compression } from '../front/compression-keys.ts'
import { health } from '../front/health-keys.ts'
import { gateKeys, limitKeys } from '../front/limit-keys.ts'
import { describeFrontProblems } from '../front/problems.ts'
import { metrics } from '../front/requests/metrics-keys.ts'
import { responseHeaders } from '../front/response-header-keys.ts'
import { tempDir } from '../front/spool-keys.ts'
import { trustKeys } from '../front/trust-keys.ts'
import { accessLog } from '../logs/access-log-keys.ts'
import { logs } from '../logs/keys.ts'
import { hooks } from '../programs/hook-keys.ts'
import { describeJobProblems, job } from '../programs/jobs/keys.ts'
import { backgroundProcess, describeLineProblems, initItem } from '../programs/keys.ts'
import { authUpstreams } from '../routes/auth-upstreams.ts'
import { type Route, route, routeToApp } from '../routes/keys.ts'
import { describeRouteProblems, fallbackApp } from '../routes/problems.ts'
import { describeSharedStateProblems, sharedState } from '../shared-state/keys.ts'
import { upstream } from '../upstreams/keys.ts'
import { app } from '../workers/keys.ts'
import { development } from './development-keys.ts'
import { nginx } from './nginx-keys.ts'
import { describeOrderProblems } from './order-problems.ts'
import { describePortProblems } from './port-problems.ts'
import { describeStopProblems } from './stop-problems.ts'

const tls = z.strictObject({ ...tlsKeys, client_certificates: clientCertificates, ...issuedKeys }).prefault({})

/** Schema of the configuration: the only source of keys, types, defaults, documentation, the JSON Schema and messages for invalid values. */
export const configSchema = z
  .strictObject({
    http_port: port('Port for HTTP', 80),
    https_port: port('Port for HTTPS', 443),
    https: z
      .enum(['redirect', 'on', 'off'], { error: 'expected redirect, on or off' })
      .default('redirect')
      .register(docs, {
        description: 'redirect: HTTPS, and HTTP redirects to it with 308; on: both serve; off: HTTP only',
      }),
    public_http_port: optionalPort(
      'HTTP port that clients see, for X-Forwarded-Port if the Host header of a request has no port; default: 80',
    ),
    public_https_port: optionalPort(
      'HTTPS port that clients see if docker or a load balancer maps another one, for redirects and HTTP/3 (default: https_port), and for X-Forwarded-Port if the Host header of a request has no port (default: 443)',
    ),
    bind_addresses: z
      .array(z.union([z.ipv4(), z.ipv6()], { error: 'expected an IP address such as 127.0.0.1 or ::' }))
      .min(1, 'expected at least one IP address')
      .optional()
      .register(docs, {
        description: 'Addresses to listen on; default: all IPv4 and, if the kernel supports it, IPv6 addresses',
      }),
    server_names: z.array(hostName, { error: 'expected a list of host names' }).default([]).register(docs, {
      description:
        'Host names of this server in addition to those of routes; also the names of its certificates unless other keys name them',
    }),
    ...trustKeys,
    http3: z.boolean({ error: 'expected true or false' }).default(false).register(docs, {
      description:
        'HTTP/3 in addition to HTTP/2, on the UDP port of the same number; a reload closes its open connections',
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
        'Commands such as migrations that run one after the other before anything else starts. If one fails, startup fails with its exit code. A reload does not run them',
    }),
    processes: z
      .record(programName, backgroundProcess, { error: 'expected names with {command: …} each' })
      .default({})
      .register(docs, { description: 'Processes without a socket, such as queue consumers, by name' }),
    jobs: z
      .record(programName, job, {
        error: 'expected jobs by name, such as report: {schedule: 0 4 * * *, command: node report.js}',
      })
      .default({})
      .register(docs, { description: 'Commands that run at times, as from cron, by name' }),
    routes: z
      .array(route, { error: 'expected a list of routes, such as {path: /api, app: api}' })
      .min(1, 'expected at least one route')
      .optional()
      .register(docs, {
        description:
          'Targets of requests by host and path. Exact paths are tried first, then regular expressions, then the longest prefix; a route with a host takes precedence over one without. Default: every request goes to the only app, else to web, else to app',
      }),
    dynamic_routes: dynamicRoutes,
    shared_state: sharedState,
    hooks,
    dev: development,
    admin,
    upstreams: z
      .record(programName, upstream, { error: 'expected names with the keys of an upstream each' })
      .default({})
      .register(docs, { description: 'Groups of servers outside this container by name, as targets of routes' }),
    tls,
    health,
    nginx,
    maintenance_page: z
      .string({ error: 'expected the path of an HTML file' })
      .refine(path => path !== '' && !path.includes('\0'), 'expected the path of an HTML file')
      .optional()
      .register(docs, {
        description:
          "HTML file, relative to the app's directory, that visitors get with 502, 503 and 504 while no worker responds; read at startup and on each reload; default: a built-in page",
      }),
    access_log: accessLog,
    log_format: z
      .enum(['text', 'json', 'short', 'raw'], { error: 'expected text, json, short or raw' })
      .default('text')
      .register(docs, {
        description:
          'Format of every log line; short: time of day, source and text, for a terminal; raw: text, and programs write to stdout and stderr themselves, untagged',
      }),
    logs,
    log_level: z
      .enum(['debug', 'info', 'warn', 'error'], { error: 'expected debug, info, warn or error' })
      .default('info')
      .register(docs, { description: "Lowest level of monohull's own lines that is written" }),
    watch_config: z.boolean({ error: 'expected true or false' }).default(false).register(docs, {
      description: 'Whether a change of the configuration file reloads by itself, also one of a Kubernetes ConfigMap',
    }),
    platform: z
      .enum([...platformNames, 'none'], { error: `expected none or a platform: ${platformNames.join(', ')}` })
      .optional()
      .register(docs, {
        description:
          'Platform whose contract sets defaults: http_port is $PORT, https is off, its proxy is trusted, logs are JSON, and a stop fits its time; default: recognised by its variables; none: no such defaults',
      }),
    metrics,
    stop_delay: duration('0s', 0).register(docs, {
      description: 'Delay between the end of readiness and the stop, for load balancers to notice',
    }),
    stop_timeout: duration('9s').register(docs, {
      description: 'Time for a complete stop; the default is below the 10 s that docker stop waits',
    }),
    run_dir: writtenDirectory.default('/run/monohull').register(docs, {
      description: 'Directory for sockets, the rendered nginx configuration and the record of running processes',
    }),
    state_dir: statePath.default('/var/lib/monohull').register(docs, {
      description:
        'Directory that must survive a restart: certificates that monohull created or obtained, and the ACME account',
    }),
    temp_dir: tempDir,
    cert_dir: absolutePath.default('/certs').register(docs, { description: 'Directory with mounted certificates' }),
  })
  .superRefine((value, context) => {
    for (const issue of describeTlsProblems(value)) context.addIssue({ code: 'custom', ...issue })
    for (const issue of describeHstsProblems(value)) context.addIssue({ code: 'custom', ...issue })
    for (const issue of describePortProblems(value)) context.addIssue({ code: 'custom', ...issue })
    for (const issue of describeFrontProblems(value)) context.addIssue({ code: 'custom', ...issue })
    for (const issue of describeStopProblems(value)) context.addIssue({ code: 'custom', ...issue })
    for (const issue of describeSharedStateProblems(value)) context.addIssue({ code: 'custom', ...issue })
    for (const issue of describeJobProblems(value)) context.addIssue({ code: 'custom', ...issue })
    if (value.app && value.apps) context.addIssue({ code: 'custom', path: ['app'], ...besideApps(value.apps) })
    // routes with problems were not transformed
    const routes = value.routes?.map(own => ('target' in own ? own : undefined))
    const names = Object.keys(value.apps ?? (isAppNeeded({ app: value.app, routes }) ? { app: value.app } : {}))
    if (value.apps && names.length === 0)
      context.addIssue({ code: 'custom', path: ['apps'], message: 'expected at least one app' })
    for (const name of Object.keys(value.processes)) {
      if (!names.includes(name)) continue
      const params = { fix: 'rename one of the two' }
      context.addIssue({ code: 'custom', path: ['processes', name], message: 'is also the name of an app', params })
    }
    for (const issue of [...describeOrderProblems(value, names), ...describeLineProblems(value)])
      context.addIssue({ code: 'custom', ...issue })
    for (const issue of describeClientCertificateProblems({ ...value, routes }))
      context.addIssue({ code: 'custom', ...issue })
    const apps: Record<string, z.output<typeof app> | undefined> = value.apps ?? { app: value.app }
    const routeContext = {
      ...value,
      apps: names,
      upstreams: Object.keys(value.upstreams),
      protocolOf: (kind: 'app' | 'upstream', name: string) => (kind === 'app' ? apps : value.upstreams)[name]?.protocol,
    }
    for (const issue of describeRouteProblems(routes, routeContext)) context.addIssue({ code: 'custom', ...issue })
    for (const issue of describeDynamicRouteProblems(routeContext)) context.addIssue({ code: 'custom', ...issue })
  })
  .transform(({ app: only, apps, routes, ...rest }) => {
    const all = apps ?? (isAppNeeded({ app: only, routes }) ? { app: only ?? app.parse({}) } : {})
    const [first, ...others] = Object.values(all)
    const directory = (others.length === 0 ? (first ?? only) : undefined)?.directory ?? '.'
    const stopMs = rest.stop_timeout - rest.stop_delay
    const given = routes?.map((own, index) => ({ ...own, origin: `routes[${index}]` }))
    return {
      ...rest,
      directory,
      apps: withGrace(all, stopMs),
      processes: withGrace(rest.processes, stopMs),
      upstreams: { ...rest.upstreams, ...authUpstreams(given ?? []) },
      routes: given ?? [routeToApp(fallbackApp(Object.keys(all)) ?? '')],
    }
  })

/** Whether there must be an app. If no route leads to one, only if it has a command: without one it would be the welcome page. */
function isAppNeeded({
  app: only,
  routes,
}: {
  app?: { command?: string[] | undefined } | undefined
  routes?: (Route | undefined)[] | undefined
}): boolean {
  return only?.command !== undefined || (routes?.some(one => one === undefined || one.target.kind === 'app') ?? true)
}

/** Problem of a key for the app `app` while the apps have other names. */
function besideApps(apps: Record<string, unknown>): { message: string; params: { fix: string } } {
  const [name = 'web'] = Object.keys(apps)
  const variable = `MONOHULL_APPS_${name.toUpperCase().replaceAll('-', '_')}_…`
  return {
    message: 'configures the app named app, which apps does not contain',
    params: {
      fix: `set apps.${name}.… in the file, or ${variable}; flags and a command apply only to the app named app`,
    },
  }
}

/** Validated configuration, with `app` as one of `apps`, at least one route, and the directory that other paths are relative to. Durations are in ms. */
export type Config = z.output<typeof configSchema>
