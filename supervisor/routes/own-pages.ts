import type { OwnPage } from '../front/maintenance/lines.ts'
import type { ServedRoute } from './route.ts'

/** Routes to pages of monohull itself, by host and path. One by a regular expression is left out. */
export function ownPagesOf(routes: readonly Pick<ServedRoute, 'host' | 'path' | 'match' | 'target'>[]): OwnPage[] {
  return routes
    .filter(({ target, match }) => target.kind === 'internal' && match !== 'regex')
    .map(({ host, path, match }) => ({ host, path, isExact: match === 'exact' }))
}
