import type { NginxModel } from './model.ts'

/** What is under way to elsewhere has no graceful_timeout: it gets as long as nginx waits for a word of it. */
const usualMs = 60_000

/** What may be under way when nginx takes up another configuration. */
interface Open extends Pick<NginxModel, 'routes' | 'dynamicRoutes'> {
  /** Milliseconds that workers of apps have to finish. */
  graces: readonly number[]
}

/** Seconds after which nginx's old processes close what still hangs on them: requests, downloads, WebSockets. */
export function shutdownTimeoutSeconds({ routes, dynamicRoutes, graces }: Open): number {
  const elsewhere = routes.flatMap(({ target }) => {
    if (target.kind === 'upstream') return Math.max(usualMs, target.readTimeoutMs ?? 0)
    return target.kind === 'files' ? usualMs : []
  })
  return Math.max(1, Math.ceil(Math.max(...graces, ...elsewhere, dynamicRoutes ? usualMs : 0) / 1000))
}
