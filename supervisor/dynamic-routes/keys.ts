import * as z from 'zod'
import { docs, networks } from '../config/values.ts'

/** The key `dynamic_routes`. */
export const dynamicRoutes = z
  .strictObject({
    store: z.enum(['file'], { error: 'expected file' }).register(docs, {
      description:
        'Store for the routes that `monohull routes set HOST TARGET` adds, for hosts that the configuration does not name; other hosts get 403. file: a file in state_dir',
    }),
    allow: networks
      .min(1, 'expected at least one network; without allow, every address except the forbidden ones is allowed')
      .optional()
      .register(docs, {
        description:
          'Addresses and networks (CIDR) that routes may lead to. Apps and upstreams of the configuration are always allowed; link-local addresses and those at which clouds serve credentials never are',
      }),
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
            'conflicts with dynamic_routes, with which an unknown host gets 403',
            'remove unknown_host or dynamic_routes',
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
