import { renderCredentials } from '../front/access.ts'
import { renderForwardAuthLocations } from '../front/forward-auth.ts'
import { routeHeaders } from './front.ts'
import { findUpstream } from './proxied.ts'
import type { RoutesModel, ServedRoute } from './route.ts'

/** Locations for the server of a route whose requests an auth server checks. */
export function renderRouteForwardAuth(route: ServedRoute, model: RoutesModel): string[] {
  const { forwardAuth, ...others } = route.rules
  if (!forwardAuth) return []
  const peer = findUpstream(forwardAuth.upstream, model)
  return renderForwardAuthLocations(forwardAuth, {
    route: model.routes.indexOf(route),
    peer: peer && { ...peer, url: `${peer.hasTls ? 'https' : 'http'}://${peer.address}` },
    credentials: renderCredentials(others, model.front.access),
    copiedHeaders: model.front.copiedHeaders,
    headers: routeHeaders(route, model),
  })
}
