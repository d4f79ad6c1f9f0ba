import type { NginxModel } from './model.ts'

/** Time for requests to upstreams, which have no graceful_timeout: nginx's default read timeout. */
const usualMs = 60_000

/** Settings that bound the duration of open requests when nginx stops. */
interface OpenRequests extends Pick<NginxModel, 'routes' | 'dynamicRoutes'> {
  /** Values of graceful_timeout of the apps, in ms. */
  graces: readonly number[]
}

/** Seconds for the remaining requests, downloads and WebSockets when nginx stops. */
export function shutdownTimeoutSeconds({ routes, dynamicRoutes, graces }: OpenRequests): number {
  const otherMs = routes.flatMap(({ target }) => {
    if (target.kind === 'upstream') return Math.max(usualMs, target.readTimeoutMs ?? 0)
    return target.kind === 'files' ? usualMs : []
  })
  return Math.max(1, Math.ceil(Math.max(...graces, ...otherMs, dynamicRoutes ? usualMs : 0) / 1000))
}
