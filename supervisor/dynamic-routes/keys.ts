import * as z from 'zod'
import { docs } from '../config/values.ts'

/** The key `dynamic_routes`. */
export const dynamicRoutes = z
  .strictObject({
    store: z.enum(['file'], { error: 'expected file' }).register(docs, {
      description:
        'Where routes are kept that `monohull routes set HOST TARGET` adds, for hosts that the configuration does not name; other hosts get 403. file: in state_dir',
    }),
  })
  .optional()

interface DynamicContext {
  dynamic_routes?: object | undefined
  unknown_host: string
  /** Names. */
  apps: readonly string[]
  upstreams: readonly string[]
  tls: { on_demand?: { ask: string } | undefined }
}

/** What does not go together. */
export function describeDynamicRouteProblems({ dynamic_routes, unknown_host, apps, upstreams, tls }: DynamicContext) {
  const found = (path: string[], message: string, fix: string) => ({ path, message, params: { fix } })
  if (!dynamic_routes)
    return tls.on_demand?.ask === 'routes'
      ? [
          found(
            ['tls', 'on_demand', 'ask'],
            'asks dynamic_routes, and there are none',
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
            'contradicts dynamic_routes, with which an unknown host gets 403',
            'leave unknown_host or dynamic_routes out',
          ),
        ]),
    ...upstreams
      .filter(name => apps.includes(name))
      .map(name =>
        found(
          ['upstreams', name],
          'is the name of an app too, and dynamic_routes could not tell which of them a route is for',
          'give one of the two another name',
        ),
      ),
  ]
}
