import { inProtocol } from '../nginx/protocol.ts'
import { isGuardable, renderRetryGuard, retryTarget } from '../workers/deaths/retry-locations.ts'
import type { ProxiedRoute } from './proxied.ts'
import type { RoutesModel, ServedRoute } from './route.ts'

type Model = Pick<RoutesModel, 'apps' | 'ownFiles' | 'retrySocket' | 'spool'>

/** Address of the worker that the supervisor chose for another try. */
export const nextAddress = retryTarget

/** Whether the supervisor decides about other tries of requests for a route: it leads to an app with workers. */
export function isGuarded(route: ServedRoute, model: Model): route is ProxiedRoute {
  const { target, snippet } = route
  if (model.retrySocket === undefined || target.kind !== 'app') return false
  const app = model.apps.find(({ name, servers }) => name === target.name && servers.length > 0)
  // nginx does not keep the messages of a call, which may be a stream
  if (!app || app.protocol === 'grpc' || !isGuardable(snippet === undefined ? '' : model.ownFiles.get(snippet)))
    return false
  // a body that is not kept cannot be sent again; a worker with a port may refuse connections, and nginx has to choose another
  return keepsBodies(route as ProxiedRoute, model) || app.servers.every(({ address }) => address.kind === 'unix')
}

/** Lines for a location of such a route; `next`: the location for another try. */
export function renderGuard({ target }: ProxiedRoute, model: Model, next: string): string[] {
  const guard = renderRetryGuard(target.name, next, { keepsBodies: keepsBodies({ target }, model) })
  return inProtocol(model.apps.find(({ name }) => name === target.name)?.protocol ?? 'http', guard)
}

function keepsBodies({ target }: Pick<ProxiedRoute, 'target'>, { spool }: Model): boolean {
  return target.spool.storesBodies && spool.storesBodies
}
