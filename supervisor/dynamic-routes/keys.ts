import * as z from 'zod'
import { docs, duration, networks } from '../config/values.ts'
import { describeLoginProblems, redisLogin } from '../shared-state/redis/login-keys.ts'
import { readRedisUrl } from '../shared-state/redis/url.ts'
import { isForbiddenNetwork } from './forbidden-networks.ts'

const store = 'expected file, or the URL of a Redis server such as redis://redis:6379'
const redisKeys = ['prefix', 'database', 'username', 'password', 'sentinel_username', 'sentinel_password'] as const

/** Responses to hosts without a route, the default first. */
const unknownRoutes = ['403', '404', '421', '444', 'page'] as const

/** The key `dynamic_routes`. */
export const dynamicRoutes = z
  .strictObject({
    store: z
      .string({ error: store })
      .check(({ value, issues }) => {
        const url = value === 'file' ? undefined : readRedisUrl(value)
        if (url && !url.ok)
          issues.push({
            code: 'custom',
            input: value,
            message: url.problem === 'is not a URL' ? 'is not file and not a URL' : url.problem,
            params: { fix: url.fix },
          })
      })
      .register(docs, {
        description:
          'Store for the routes of hosts that the configuration does not name. file: a file in state_dir; the URL of a Redis or Valkey server: `redis://HOST:6379`, `rediss://HOST:6379` for TLS, `unix:/run/redis/redis.sock`, `redis+sentinel://HOST:26379,HOST:26379/MASTER`, or `redis+cluster://HOST:6379,HOST:6379`',
        secret: true,
      }),
    prefix: z
      .string({ error: 'expected text, in quotes' })
      .max(200, 'expected at most 200 characters')
      .regex(/^[\x21-\x7e]*$/, 'expected ASCII characters without spaces')
      .optional()
      .register(docs, {
        description:
          "Text before the host in the names of Redis's keys, such as `route:`, or `frontend:` for Hipache's lists; one that ends with a slash, such as `traefik/`, is the root key of Traefik's layout. Default: none",
      }),
    ...redisLogin,
    stale_for: duration('10m').register(docs, {
      description: 'Time for which hosts that nginx knows are served while the store cannot be read',
    }),
    allow: networks
      .min(1, 'expected at least one network; without allow, every address except the forbidden ones is allowed')
      .optional()
      .register(docs, {
        description:
          'Addresses and networks (CIDR) that routes may lead to. Apps and upstreams of the configuration are always allowed; link-local addresses and those at which clouds serve credentials never are',
      }),
    unknown: z.enum(unknownRoutes, { error: 'expected 403, 404, 421, 444 or page' }).default('403').register(docs, {
      description:
        'Response to hosts without a route. 404: Not Found; 421: Misdirected Request; 444: none, the connection is closed; page: 404 with a page that says so',
    }),
  })
  .superRefine((value, context) => {
    const issue = (path: string, message: string, fix: string) =>
      context.addIssue({ code: 'custom', path: [path], message, params: { fix } })
    const url = value.store === 'file' ? undefined : readRedisUrl(value.store)
    for (const key of redisKeys) {
      if (value.store === 'file' && value[key] !== undefined)
        issue(key, 'is only for a store in Redis', 'remove it, or set store to the URL of a Redis server')
    }
    if (url?.ok)
      for (const { key, message, fix } of describeLoginProblems(value, url.value, 'store')) issue(key, message, fix)
    for (const network of value.allow ?? []) {
      if (isForbiddenNetwork(network))
        issue('allow', `contains ${network}, which no route may lead to`, 'remove it: see docs/guide/routing.md')
    }
  })
  .optional()

interface DynamicContext {
  dynamic_routes?: object | undefined
  unknown_host: string
  /** Names of apps. */
  apps: readonly string[]
  upstreams: readonly string[]
  tls: { on_demand?: { ask: string } | undefined }
}

/** Conflicts between `dynamic_routes` and other keys. */
export function describeDynamicRouteProblems({ dynamic_routes, unknown_host, apps, upstreams, tls }: DynamicContext) {
  const found = (path: string[], message: string, fix: string) => ({ path, message, params: { fix } })
  if (!dynamic_routes)
    return tls.on_demand?.ask === 'routes'
      ? [
          found(
            ['tls', 'on_demand', 'ask'],
            'requires dynamic_routes, which is not set',
            'add dynamic_routes: {store: file}, or set tls.on_demand.ask to a URL',
          ),
        ]
      : []
  return [
    ...(unknown_host === 'serve'
      ? []
      : [
          found(
            ['unknown_host'],
            'conflicts with dynamic_routes, which has a response of its own',
            'remove unknown_host, and set dynamic_routes.unknown',
          ),
        ]),
    ...upstreams
      .filter(name => apps.includes(name))
      .map(name =>
        found(
          ['upstreams', name],
          'is also the name of an app, so a target of dynamic_routes would be ambiguous',
          'rename one of the two',
        ),
      ),
  ]
}
