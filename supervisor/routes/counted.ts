import { isGuarded } from '../front/access.ts'
import { isCached } from '../front/cache/alone.ts'
import { type CountedRoute, otherHost, routeId } from '../front/requests/counted-route.ts'
import { type RequestCounter, renderCounted } from '../front/requests/request-counter.ts'
import { isProxied } from './proxied.ts'
import { type RoutesModel, routesByHost, type ServedRoute } from './route.ts'

type Model = Pick<RoutesModel, 'front' | 'requestCounter'>

/** Line for the locations of a route among those of a host; undefined: of all other hosts. */
export function renderRouteCount(route: ServedRoute, host: string | undefined, model: Model): string[] {
  const makesIds = model.requestCounter?.makesIds ?? false
  return countRoute(route, host, model).flatMap(([id]) => [
    '# metrics',
    renderCounted(id, { isProxied: isProxied(route), makesIds }),
  ])
}

/** Every counted route by its id. */
export function countedRoutes(model: Model & Pick<RoutesModel, 'routes'>): Map<string, CountedRoute> {
  return new Map(
    routesByHost(model.routes).flatMap(({ host, routes }) => routes.flatMap(route => countRoute(route, host, model))),
  )
}

/** Id and labels of a route; none if requests are not counted. */
export function countRoute(route: ServedRoute, host: string | undefined, model: Model): [string, CountedRoute][] {
  const { requestCounter, front } = model
  if (!requestCounter) return []
  const labels = labelsOf(route, host, requestCounter)
  return [
    [
      routeId(labels, route.match, {
        hasCache: isCached(route.rules, front),
        isGuarded: front.clientCertificates !== undefined || isGuarded(route.rules, front.access),
        isPreliminary: false,
      }),
      labels,
    ],
  ]
}

function labelsOf({ target, path }: ServedRoute, host: string | undefined, { hasHosts }: RequestCounter): CountedRoute {
  return {
    ...(target.kind === 'app' ? { app: target.name } : {}),
    ...(target.kind === 'upstream' ? { upstream: target.name } : {}),
    route: path,
    ...(hasHosts ? { host: host ?? otherHost } : {}),
  }
}
