import assert from 'node:assert/strict'
import type { RouteContext } from '../../../supervisor/dynamic-routes/context.ts'
import { type DynamicRoute, readRoute } from '../../../supervisor/dynamic-routes/route.ts'
import { readRouteTarget } from '../../../supervisor/dynamic-routes/target.ts'

/** The target that a text is read as. */
export const targetOf = (text: string) => {
  const reading = readRouteTarget(text)
  return reading.ok ? reading.value : assert.fail(reading.problem)
}

/** The route that a value is read as. */
export function routeOf(value: unknown): DynamicRoute {
  const reading = readRoute(value)
  return reading.ok ? reading.value : assert.fail(reading.problem)
}

/** What dynamic routes meet in these tests. */
export const context: RouteContext = {
  namedHosts: ['www.example.com', '*.example.org'],
  apps: ['web'],
  upstreams: ['legacy'],
  staticApps: ['docs'],
  networks: undefined,
  isOwn: (address, port) => address === '127.0.0.1' && port === 80,
}
