import { isOfUrl, type Upstream } from '../upstreams/upstream.ts'

/** Whether a route may lead to an upstream: not if it was made for an auth server. */
export function mayBeTarget(upstream: Pick<Upstream, 'name'>): boolean {
  return !isOfUrl(upstream)
}
