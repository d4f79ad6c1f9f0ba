import * as z from 'zod'
import { describeHstsProblems } from '../certificates/hsts/keys.ts'
import { describeTlsProblems, issuedKeys, tlsKeys } from '../certificates/keys.ts'
import {
  absolutePath,
  countOrAuto,
  docs,
  duration,
  hook,
  hostName,
  httpPath,
  port,
  programName,
  writtenDirectory,
} from '../config/values.ts'
import { describeDynamicRouteProblems, dynamicRoutes } from '../dynamic-routes/keys.ts'
import { cache, sendFiles } from '../front/cache/keys.ts'
import { clientCertificates, describeClientCertificateProblems } from '../front/client-certificate-keys.ts'
import { compression } from '../front/compression-keys.ts'
import { gateKeys, limitKeys } from '../front/limit-keys.ts'
import { describeFrontProblems } from '../front/problems.ts'
import { responseHeaders } from '../front/response-header-keys.ts'
import { trustKeys } from '../front/trust-keys.ts'
import { backgroundProcess, initItem } from '../programs/keys.ts'
import { type Route, route, routeToApp } from '../routes/keys.ts'
import { describeRouteProblems, fallbackApp } from '../routes/problems.ts'
import { upstream } from '../upstreams/keys.ts'
import { type AppConfig, app } from '../workers/keys.ts'
import { describeStopProblems } from './stop-problems.ts'

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

const tls = z.strictObject({ ...tlsKeys, client_certificates: clientCertificates, ...issuedKeys }).prefault({})

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
    dynamic_routes: dynamicRoutes,
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
    run_dir: writtenDirectory
      .default('/run/monohull')
      .register(docs, { description: 'Sockets, rendered configuration, records of running processes' }),
    state_dir: writtenDirectory.default('/var/lib/monohull').register(docs, {
      description: 'What outlives a restart: certificates that monohull made or obtained, and the account with the CA',
    }),
    cert_dir: absolutePath.default('/certs').register(docs, { description: 'Where certificates are mounted' }),
  })
  .superRefine((value, context) => {
    for (const issue of describeTlsProblems(value)) context.addIssue({ code: 'custom', ...issue })
    for (const issue of describeHstsProblems(value)) context.addIssue({ code: 'custom', ...issue })
    if (value.http_port === value.https_port && value.http_port !== 0 && value.https !== 'off') {
      context.addIssue({ code: 'custom', path: ['https_port'], message: 'expected another port than http_port' })
    }
    for (const issue of describeFrontProblems(value)) context.addIssue({ code: 'custom', ...issue })
    for (const issue of describeStopProblems(value)) context.addIssue({ code: 'custom', ...issue })
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
    for (const issue of describeClientCertificateProblems({ ...value, routes }))
      context.addIssue({ code: 'custom', ...issue })
    const surroundings = { ...value, apps: names, upstreams: Object.keys(value.upstreams) }
    for (const issue of describeRouteProblems(routes, surroundings)) context.addIssue({ code: 'custom', ...issue })
    for (const issue of describeDynamicRouteProblems(surroundings)) context.addIssue({ code: 'custom', ...issue })
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
