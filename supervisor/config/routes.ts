import * as z from 'zod'
import { hostName } from './values.ts'

/** One line of `routes`. A slash at the end of its path makes no difference. */
export const route = z.strictObject({
  host: hostName
    .transform(host => host.toLowerCase())
    .optional()
    .describe('Only for requests to this host name, such as www.example.com or *.example.com; default: any'),
  path: z
    .string({ error: 'expected a path such as /api' })
    .regex(/^(\/|(\/[A-Za-z0-9._~@+-]+)+\/?)$/, 'expected a path such as /api, of letters, digits and . _ ~ @ + -')
    .transform(path => (path === '/' ? path : path.replace(/\/$/, '')))
    .default('/')
    .describe(
      'What the path of the request is or begins with, in whole segments: /api is for /api and /api/x, not for /apix',
    ),
  app: z.string({ error: 'expected the name of an app' }).describe('The app that answers'),
})

/** A route of the configuration. */
export type Route = z.output<typeof route>

export interface RouteProblem {
  path: (string | number)[]
  message: string
  params: { fix: string }
}

/** The app that gets everything when no route is given; undefined when nothing tells. */
export function fallbackApp(names: readonly string[]): string | undefined {
  if (names.length === 1) return names[0]
  return ['web', 'app'].find(name => names.includes(name))
}

/** What is wrong with routes that are well-formed one by one. */
export function describeRouteProblems(
  routes: readonly Route[] | undefined,
  { apps, taken }: { apps: readonly string[]; taken: readonly string[] },
): RouteProblem[] {
  if (!routes) {
    if (apps.length === 0 || fallbackApp(apps) !== undefined) return []
    const fix = `set routes, such as [{path: /, app: ${apps[0]}}, {path: /${apps[1]}, app: ${apps[1]}}], or call one app web`
    return [{ path: ['apps'], message: `which of ${apps.join(', ')} answers requests is not said`, params: { fix } }]
  }
  return routes.flatMap(({ host, path, app }, index) => {
    const problems: RouteProblem[] = []
    if (!apps.includes(app)) {
      const fix = `name one of the apps: ${apps.join(', ')}`
      problems.push({ path: ['routes', index, 'app'], message: 'is no app of this configuration', params: { fix } })
    }
    const same = routes.findIndex(other => other.host === host && other.path === path)
    if (same < index) {
      const message = `is the same host and path as in route ${same + 1}`
      problems.push({ path: ['routes', index, 'path'], message, params: { fix: 'leave one of the two out' } })
    }
    if (taken.includes(path)) {
      const message = 'is answered by monohull itself'
      const fix = 'choose another path, or move health.live_path and health.ready_path'
      problems.push({ path: ['routes', index, 'path'], message, params: { fix } })
    }
    return problems
  })
}
