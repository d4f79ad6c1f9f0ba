import type { RouteRow } from '../dashboard/sections.ts'
import type { Route } from '../routes/keys.ts'

/** Routes as the status page shows them, in the order of the configuration. */
export function routeRows(routes: readonly Route[]): RouteRow[] {
  return routes.map(({ host, path, match, target, settings }) => ({
    host,
    path,
    match,
    kind: target.kind,
    target: describeTarget(target),
    guards: Object.entries(settings)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => (value === 'off' ? `${key} off` : key)),
  }))
}

function describeTarget(target: Route['target']): string {
  switch (target.kind) {
    case 'app':
    case 'upstream':
      return target.name
    case 'redirect':
      return `${target.to} (${target.status})`
    case 'internal':
      return target.page
    case 'response':
      return String(target.status)
    default:
      return 'root' in target ? String(target.root) : 'files'
  }
}
